import {afterEach, expect, onTestFinished, test, vi} from 'vitest';
import {parseOffer} from '../../extensions/checkout-offers/src/offer.ts';
import {readCart} from '../src/cart.ts';
import {addToCart} from '../src/addToCart.ts';
import {PAGE} from './page.ts';

const LOAF = {product_id: 2, variant_id: 102, title: 'Sourdough Loaf', price: '4.25', currency: 'USD'};
const OFFER = parseOffer({offer_id: 'o1', kind: 'upsell', product: LOAF}, 'd1')!;
const LINE = {
  merchandiseId: 'gid://shopify/ProductVariant/102',
  quantity: 1,
  attributes: [{key: '_tillwise_decision', value: 'd1'}, {key: '_tillwise_offer', value: 'o1'}],
};

afterEach(() => {
  vi.unstubAllGlobals();
  document.body.innerHTML = '';
});

/** A shop that reads the cart as this. */
function shop(cart: object) {
  const fetch = vi.fn(async () => Response.json(cart));
  vi.stubGlobal('fetch', fetch);
  return fetch;
}

/** A page whose theme changes its cart by Shopify's action: its own, or as Shopify has it. */
function theme(isDefault: boolean, told: object | null = {cart: {}, userErrors: []}) {
  const updateCart = Object.assign(vi.fn(async () => told), {isDefault: () => isDefault});
  vi.stubGlobal('Shopify', {actions: {updateCart}});
  return updateCart;
}

test('an item says what it costs after the cart’s own discounts too, and whether no code takes anything off it', async () => {
  const item = {product_id: 1, variant_id: 101, quantity: 1, final_price: 1000, product_title: 'Coffee'};
  const plan = (recurring_deliveries: boolean) => ({selling_plan_allocation: {selling_plan: {recurring_deliveries}}});
  const items = [item, {...item, ...plan(true)}, {...item, ...plan(false)}, {...item, gift_card: true}];
  shop({currency: 'USD', items_subtotal_price: 4000, total_price: 3000, items});
  const {lines, subtotal} = await readCart(PAGE);
  expect(lines.map(({price, full_price}) => [price, full_price])).toEqual([['7.50', undefined], ['7.50', true], ['7.50', undefined], ['7.50', true]]);
  expect(subtotal).toBe('40.00');
});

test('a currency without cents is told in hundredths all the same', async () => {
  shop({currency: 'JPY', items_subtotal_price: 120_000, total_price: 120_000, items: []});
  expect((await readCart(PAGE)).subtotal).toBe('1200');
});

test('a theme that changes its cart by Shopify’s action does, and so shows it as it is', async () => {
  const [updateCart, fetch] = [theme(false), shop({})];
  expect(await addToCart(PAGE, OFFER)).toBeNull();
  expect(updateCart.mock.calls).toEqual([[{lines: [LINE]}]]);
  expect(fetch).not.toHaveBeenCalled();
});

test('so does one that Shopify knows; any other would be loaded anew, and is asked by the Ajax API', async () => {
  const [updateCart, fetch] = [theme(true), shop({})];
  expect(await addToCart(PAGE, OFFER)).toBeNull();
  expect([updateCart.mock.calls.length, fetch.mock.calls.length]).toEqual([0, 1]);
  document.body.innerHTML = '<a id="cart-icon-bubble"></a>';
  expect(await addToCart(PAGE, OFFER)).toBeNull();
  expect([updateCart.mock.calls.length, fetch.mock.calls.length]).toEqual([1, 1]);
});

const holding = (...variants: number[]) => ({lines: {nodes: variants.map((id) => ({merchandise: {id: `gid://shopify/ProductVariant/${id}`}}))}});

test.each([
  ['declines', {userErrors: [{code: 'INVALID'}]}, ''],
  ['has none left', {userErrors: [], warnings: [{code: 'MERCHANDISE_OUT_OF_STOCK'}]}, 'Just sold out'],
  ['has none left and no line of it', {cart: holding(101), warnings: [{code: 'MERCHANDISE_NOT_ENOUGH_STOCK'}]}, 'Just sold out'],
  ['has less of another of its lines', {cart: holding(101, 102), warnings: [{code: 'MERCHANDISE_NOT_ENOUGH_STOCK'}]}, null],
  ['warns of something else', {warnings: [{code: 'DUPLICATE_DELIVERY_ADDRESS'}]}, null],
  ['says nothing', null, null],
])('where the cart %s, the offer is told to be in it, or why not', async (_, told, declined) => {
  theme(false, told);
  expect(await addToCart(PAGE, OFFER)).toBe(declined);
});

test.each([
  ['in the shopper’s language', {status: 422, message: 'Cart Error', description: 'Das Produkt „Sauerteigbrot“ ist bereits ausverkauft.'}, 'Das Produkt „Sauerteigbrot“ ist bereits ausverkauft.'],
  ['by field', {status: 422, description: {quantity: ['is too low']}}, ''],
  ['in no words', {}, ''],
])('what the shop says %s against a product is told as it says it', async (_, said, told) => {
  vi.stubGlobal('fetch', async () => Response.json(said, {status: 422}));
  expect(await addToCart(PAGE, OFFER)).toBe(told);
});

test.each([
  ['by the Ajax API', true],
  ['by the theme’s action', false],
])('what is not answered %s is given up after ten seconds, and in the cart if it is found there', async (how, byAjax) => {
  vi.useFakeTimers({toFake: ['setTimeout']});
  onTestFinished(() => void vi.useRealTimers());
  const signals: (AbortSignal | undefined)[] = [];
  let items: object[] = [{properties: null}, {properties: {_tillwise_offer: 'another'}}];
  if (!byAjax) vi.stubGlobal('Shopify', {actions: {updateCart: Object.assign(() => new Promise(() => undefined), {isDefault: () => false})}});
  vi.stubGlobal('fetch', (address: string, {signal}: RequestInit) => {
    if (address === '/cart.js') return Promise.resolve(Response.json({items}));
    signals.push(signal!);
    return new Promise(() => undefined);
  });
  for (const told of ['', null]) {
    let said: string | null | undefined;
    const added = addToCart(PAGE, {...OFFER, offer_id: `${how} ${told}`}).then((answer) => (said = answer));
    await vi.advanceTimersByTimeAsync(9_999);
    expect(said).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(await added).toBe(told);
    items = [{properties: {_tillwise_offer: `${how} null`}}];
  }
  expect(signals.map((signal) => signal?.aborted)).toEqual(byAjax ? [true, true] : []);
});

test('what was added though its answer was lost is not added again by who tries again, nor as long as the cart is not read', async () => {
  const asked: string[] = [];
  let isOnline = false;
  vi.stubGlobal('fetch', async (address: string) => {
    asked.push(address);
    if (!isOnline) throw new Error('offline');
    return Response.json({items: [{properties: {_tillwise_offer: 'lost'}}]});
  });
  const add = () => addToCart(PAGE, {...OFFER, offer_id: 'lost'});
  expect([await add(), await add()]).toEqual(['', '']);
  isOnline = true;
  expect(await add()).toBeNull();
  expect(asked.filter((address) => address === '/cart/add.js')).toHaveLength(1);
});

test('who tries again before the theme’s action is done waits for that, and gets one line', async () => {
  vi.useFakeTimers({toFake: ['setTimeout']});
  onTestFinished(() => void vi.useRealTimers());
  const [updateCart] = [theme(false), shop({items: []})];
  let done = (_: object) => {};
  updateCart.mockImplementation(() => new Promise((resolve) => (done = resolve)));
  const add = () => addToCart(PAGE, {...OFFER, offer_id: 'slow'});
  const first = add();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await first).toBe('');
  const again = add();
  await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1)); // its ten seconds have begun
  done({});
  expect(await again).toBeNull();
  expect(updateCart).toHaveBeenCalledOnce();
});

test('a shop that does not answer, or with a page, says nothing against a product that is not in the cart', async () => {
  for (const fails of [async () => new Response('<html>', {status: 500}), () => Promise.reject(new Error('offline'))]) {
    vi.stubGlobal('fetch', fails);
    expect(await addToCart(PAGE, OFFER)).toBe('');
  }
});
