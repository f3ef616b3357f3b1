import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {parseOffer, type Offer} from '../../extensions/checkout-offers/src/offer.ts';
import {ask} from '../src/ask.ts';
import {ALL, PAGE, visitor} from './page.ts';

const LINE = {product_id: 1, variant_id: 101, quantity: 1, final_price: 489, product_title: 'Whole Milk'};
const LOAF = {product_id: 2, variant_id: 102, title: 'Sourdough Loaf', price: '4.25', currency: 'USD'};
const COFFEE = {product_id: 3, variant_id: 103, title: 'Ground Coffee', price: '8.99', currency: 'USD'};
const gid = (variant: number) => `gid://shopify/ProductVariant/${variant}`;
const sold = (variant: number, amount: string, currencyCode = 'CAD') => ({id: gid(variant), availableForSale: true, price: {amount, currencyCode}});

let queries: {ids: string[]; country: string}[];
let questions: {company?: true}[];

/** A shop that is paid in Canadian dollars, an app that offers a loaf and coffee, and what the Storefront API says of them. */
function shop(storefront: () => Promise<Response>): void {
  vi.stubGlobal('fetch', async (address: string, how?: {body: string}) => {
    if (address === '/cart.js') return Response.json({currency: 'CAD', items_subtotal_price: 489, total_price: 489, items: [LINE]});
    if (!address.startsWith('/api/')) questions.push(JSON.parse(new URL(address, 'https://corner.example').searchParams.get('question')!) as {company?: true});
    if (!address.startsWith('/api/')) return Response.json({decision_id: 'd1', offers: [LOAF, COFFEE].map((product, at) => ({offer_id: `o${at}`, kind: 'upsell', product}))});
    queries.push((JSON.parse(how!.body) as {variables: {ids: string[]; country: string}}).variables);
    return storefront();
  });
}

const prices = (offers: Offer[] | undefined) => offers?.map(({product}) => [product!.title, product!.price, product!.currency]);

beforeEach(() => {
  vi.resetModules();
  queries = [];
  questions = [];
  visitor(ALL);
});
afterEach(() => vi.unstubAllGlobals());

test('offers come at the prices of the market, asked once, and without what it does not sell', async () => {
  shop(async () => Response.json({data: {nodes: [sold(102, '5.95'), null, sold(101, '4.89')]}}));
  const page = {...PAGE, country: 'CA'};
  const given = await ask(page, 'page');
  expect(prices(given?.offers)).toEqual([['Sourdough Loaf', 5.95, 'CAD']]);
  await ask(page, 'exit_intent');
  expect(queries).toEqual([{ids: [gid(102), gid(103), gid(101)], country: 'CA'}]);
});

test.each([
  ['fails', async () => Response.json({}, {status: 503})],
  ['refuses', async () => Response.json({errors: [{message: 'no'}]})],
  ['is not reached', async () => Promise.reject(new TypeError('offline'))],
  ['says another currency than the cart’s', async () => Response.json({data: {nodes: [sold(102, '3.9', 'EUR'), sold(103, '8.2', 'EUR')]}})],
])('an API that %s leaves the offers as they are', async (_, storefront) => {
  shop(storefront);
  expect(prices((await ask({...PAGE, country: 'MX'}, 'page'))?.offers)).toEqual([
    ['Sourdough Loaf', 4.25, 'USD'],
    ['Ground Coffee', 8.99, 'USD'],
  ]);
});

test('without the script, and for a company, nothing is asked', async () => {
  shop(async () => Response.json({data: {nodes: []}}));
  expect((await ask({...PAGE, products: './nowhere.ts'}, 'page'))?.offers).toHaveLength(2);
  expect((await ask({...PAGE, company: 7}, 'page'))?.offers).toHaveLength(2);
  expect(questions.map(({company}) => company)).toEqual([undefined, true]);
  expect(queries).toEqual([]);
});

test('what is offered is still an offer of its decision', async () => {
  shop(async () => Response.json({data: {nodes: [sold(102, '5.95'), sold(103, '12.59')]}}));
  const given = await ask({...PAGE, country: 'BE'}, 'page');
  const [first] = given!.offers;
  const as = parseOffer({offer_id: 'o0', kind: 'upsell', product: LOAF}, 'd1')!;
  expect(first).toEqual({...as, product: {...as.product, price: 5.95, currency: 'CAD'}});
});

test('what a measure costs in the market comes along', async () => {
  const measured = {unitPrice: {amount: '11.90', currencyCode: 'CAD'}, unitPriceMeasurement: {referenceUnit: 'KG', referenceValue: 1}};
  shop(async () => Response.json({data: {nodes: [{...sold(102, '5.95'), ...measured}, sold(103, '12.59')]}}));
  const given = await ask({...PAGE, country: 'NZ'}, 'page');
  expect(given!.offers.map(({product}) => product!.unit)).toEqual([{amount: 11.9, per: '\u2068kg\u2069'}, undefined]);
});
