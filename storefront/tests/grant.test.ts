import {afterEach, expect, test, vi} from 'vitest';
import {parseOffer, type Offer} from '../../extensions/checkout-offers/src/offer.ts';
import {readCart} from '../src/cart.ts';
import {honoured} from '../src/grant.ts';
import {PAGE} from './page.ts';

const sent: {address: string; body: unknown}[] = [];

afterEach(() => {
  vi.unstubAllGlobals();
  sent.length = 0;
});

function shop(status: number): void {
  vi.stubGlobal('fetch', async (address: string, {body}: {body: string}) => {
    sent.push({address, body: JSON.parse(body)});
    return new Response('{}', {status});
  });
}

function coupon(offer_id: string, discount: object): Offer {
  return parseOffer({offer_id, kind: 'coupon', discount: {percentage: 10, ...discount}}, 'd1')!;
}

const CODE = coupon('code', {code: 'TENTH'});
const ONE = coupon('one', {code: null, grant: 'g1'});
const TWO = coupon('two', {code: null, grant: 'g2'});

async function names(offers: Offer[], grant?: string, ...codes: string[]): Promise<string[]> {
  return (await honoured(PAGE, offers, {grant, codes})).map(({offer_id}) => offer_id);
}

test('the cart carries the first grant, and what it can not carry is not promised', async () => {
  shop(200);
  expect(await names([CODE, ONE, TWO])).toEqual(['code', 'one']);
  expect(sent).toEqual([{address: '/cart/update.js', body: {attributes: {_tillwise_grant: 'g1'}}}]);
});

test('a grant that the cart carries already is not sent again', async () => {
  shop(200);
  expect(await names([ONE], 'g1')).toEqual(['one']);
  expect(await names([CODE])).toEqual(['code']);
  expect(sent).toEqual([]);
});

test('beside a code of the shopper’s it is not promised: the code may keep it out', async () => {
  shop(200);
  expect(await names([CODE, ONE], undefined, 'OWN')).toEqual(['code']);
  expect(await names([ONE], 'g1', 'OWN')).toEqual([]);
  expect(sent).toEqual([]);
});

test('a shop that refuses or is not reached leaves the other offers', async () => {
  shop(500);
  expect(await names([ONE, CODE])).toEqual(['code']);
  vi.stubGlobal('fetch', async () => {
    throw new TypeError('offline');
  });
  expect(await names([ONE, CODE])).toEqual(['code']);
});

test('the grant is read off the cart', async () => {
  const cart = {attributes: {_tillwise_grant: 'g1', Gift: 'yes'}, currency: 'USD', items_subtotal_price: 0, items: []};
  vi.stubGlobal('fetch', async () => Response.json(cart));
  expect((await readCart(PAGE)).grant).toBe('g1');
});
