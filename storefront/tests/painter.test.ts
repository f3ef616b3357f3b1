import {afterEach, beforeEach, expect, onTestFinished, test, vi} from 'vitest';
import {parseOffer, type Offer} from '../../extensions/checkout-offers/src/offer.ts';
import {painter, type Painter} from '../src/painter.ts';
import {TOOLS} from '../src/tools.ts';
import {ALL, CART, eventually, NOTHING, PAGE, visitor, write} from './page.ts';

const PRODUCT = {
  product_id: 'gid://shopify/Product/2',
  variant_id: 'gid://shopify/ProductVariant/102',
  title: 'Sourdough Loaf',
  price: '4.25',
  currency: 'USD',
  image: 'https://cdn.example.test/2.png',
};
const WHY = [{reason: 'bought_together', with: 'gid://shopify/Product/1'}];

let shelf: HTMLElement;
let dialog: HTMLDialogElement;
let paints: Painter;

beforeEach(() => {
  vi.stubGlobal('IntersectionObserver', class {
    constructor(private seen: (entries: {isIntersecting: boolean}[]) => void) {}
    observe = () => this.seen([{isIntersecting: true}]);
    disconnect = () => undefined;
  });
  HTMLDialogElement.prototype.show = function (this: HTMLDialogElement) { this.open = true; };
  HTMLDialogElement.prototype.close = function (this: HTMLDialogElement) { this.open = false; };
  localStorage.clear();
  sessionStorage.clear();
  write();
  shelf = document.querySelector('[data-tillwise-shelf]')!;
  dialog = document.querySelector('dialog')!;
  paints = painter(PAGE, TOOLS);
});
afterEach(() => vi.unstubAllGlobals());

let decisions = 0;

function offer(raw: object): Offer {
  return parseOffer({offer_id: 'o1', kind: 'upsell', ...raw}, `d${decisions}`)!;
}

function paint(...offers: object[]): void {
  decisions += 1; // each thing about an offer is told once
  paints.paint({offers: offers.map(offer), cart: CART});
}

test('a product says its price and why it is here', () => {
  visitor(NOTHING);
  paint({product: PRODUCT, why: WHY});
  expect(shelf.querySelector('.tillwise-words')?.textContent).toBe('Sourdough Loaf$4.25Often bought together with Whole Milk');
  expect(shelf.dataset.tillwiseShelf).toBe('ready');
});

test('one of several variants says which, in a direction of its own beside the price', () => {
  paint({product: {...PRODUCT, variant: 'Sliced'}});
  expect(shelf.querySelector('.tillwise-price')?.textContent).toBe('$4.25 · \u2068Sliced\u2069');
  expect(shelf.querySelector('.tillwise-press')?.ariaLabel).toBe('Add to cart: Sourdough Loaf, Sliced');
});

test('what a measure costs stands beside the price, and without one nowhere', () => {
  const of = (currency: string) => ({...offer({product: {...PRODUCT, currency}}), product: {...offer({product: PRODUCT}).product!, currency, unit: {amount: 8.5, per: 'kg'}}});
  paints.paint({offers: [of('USD'), of('EUR')], cart: CART});
  expect([...shelf.querySelectorAll('.tillwise-words')].map((words) => words.querySelector('.tillwise-price')?.textContent)).toEqual(['$4.25 (\u2068$8.50\u2069/kg)', undefined]);
});

test('a picture that does not come leaves its place calm, with nothing that looks broken', () => {
  paint({product: PRODUCT});
  const [picture] = shelf.querySelectorAll('img');
  picture!.dispatchEvent(new Event('error'));
  expect(shelf.querySelector('img')).toBeNull();
  expect(shelf.querySelector('.tillwise-card')!.firstElementChild!.className).toBe('tillwise-picture');
});

test('a title leads to the page of its product, where that is known', () => {
  paint({product: PRODUCT}, {product: {...PRODUCT, handle: 'sourdough loaf'}, offer_id: 'o2'});
  expect([...shelf.querySelectorAll('.tillwise-title a')].map((link) => link.getAttribute('href'))).toEqual(['/products/sourdough%20loaf']);
  expect([...shelf.querySelectorAll('.tillwise-title')].map(({textContent}) => textContent)).toEqual(['Sourdough Loaf', 'Sourdough Loaf']);
});

test('a price in another currency than the cart is not shown', () => {
  paint({product: {...PRODUCT, currency: 'EUR'}});
  expect(shelf.querySelector('.tillwise-price')).toBeNull();
});

test('what is in the cart is not offered', () => {
  paint({product: PRODUCT}, {product: {...PRODUCT, product_id: 'gid://shopify/Product/1'}, offer_id: 'o2'});
  expect(shelf.querySelectorAll('.tillwise-card')).toHaveLength(1);
});

test('a company, which has prices of its own, is told none of the shop’s', () => {
  paints = painter({...PAGE, company: 7}, TOOLS);
  paint({product: PRODUCT});
  expect(shelf.querySelector('.tillwise-title')?.textContent).toBe('Sourdough Loaf');
  expect(shelf.querySelector('.tillwise-price')).toBeNull();
});

test('a coupon says until when it is good within a month, and is gone once it is over', () => {
  vi.useFakeTimers({toFake: ['Date'], now: new Date(2026, 10, 25, 12)});
  onTestFinished(() => void vi.useRealTimers());
  const coupon = (code: string, days: number) => ({kind: 'coupon', offer_id: code, discount: {code, percentage: 10, expires_at: new Date(Date.now() + days * 86_400_000).toISOString()}});
  paint(coupon('SOON', 3), coupon('FAR', 60));
  expect([...shelf.querySelectorAll('.tillwise-words')].map(({textContent}) => textContent)).toEqual([
    'Save 10% on your orderCode SOONExpires in 3 days',
    'Save 10% on your orderCode FAR',
  ]);
  paint(coupon('OVER', -0.01));
  expect(shelf.querySelector('.tillwise-card')).toBeNull();
});

test("a coupon is Shopify's own link, back to the cart", () => {
  paint({kind: 'coupon', discount: {code: 'TEN & MORE', percentage: 10}});
  expect(shelf.querySelector('a')?.getAttribute('href')).toBe('/discount/TEN%20%26%20MORE?redirect=%2Fcart');
  expect(shelf.textContent).toContain('Save 10% on your order');
});

test('a message is said, in our words or the merchant’s, and as text', () => {
  paint({kind: 'message', message: {key: 'message.help', args: {}}}, {kind: 'banner', message: {text: '<b>{n}</b>', args: {n: 2}}});
  expect([...shelf.querySelectorAll('.tillwise-title')].map(({textContent}) => textContent)).toEqual(['Any questions?', '<b>2</b>']);
});

test('a bar says what is missing, and follows what is added to the cart here', async () => {
  vi.stubGlobal('fetch', async () => Response.json({currency: 'USD', items_subtotal_price: 4774, items: []}));
  const told = {current: '3.49', target: '50.00', currency: 'USD'};
  paint({kind: 'progress', progress: told, message: {key: 'progress.free_shipping', args: {}}});
  const bar = shelf.querySelector('progress')!;
  expect([bar.value, bar.max, bar.ariaLabel]).toEqual([3.49, 50, 'How far your order is']);
  expect(shelf.querySelector('.tillwise-title')?.textContent).toBe('Add $46.51 more for free shipping.');
  shelf.dispatchEvent(new CustomEvent('tillwise:added', {bubbles: true}));
  await eventually(() => expect(shelf.querySelector('.tillwise-title')?.textContent).toBe('Add $2.26 more for free shipping.'));
  expect(bar.value).toBe(47.74);
});

test('a bar that nothing can be said of is left out', () => {
  paint({kind: 'progress', progress: {current: '1', target: '50', currency: 'USD'}, message: {key: 'unknown', args: {}}});
  expect(shelf.querySelector('.tillwise-card')).toBeNull();
});

test('what this version does not know, and what has no place, is left out and not told of', () => {
  const published = visitor(ALL);
  paint({kind: 'hologram'}, {product: PRODUCT}, {product: PRODUCT, offer_id: 'o2'}, {product: PRODUCT, offer_id: 'o3'});
  expect(shelf.querySelectorAll('.tillwise-card')).toHaveLength(2);
  expect(published.map(({data}) => data.offer_id)).toEqual(['o1', 'o2']);
});

test('two blocks of a page share what is offered: what has its place in one is not shown again in the other', () => {
  const other = shelf.cloneNode(true) as HTMLElement;
  shelf.after(other);
  paints = painter(PAGE, TOOLS);
  const titles = () => [shelf, other].map((each) => [...each.querySelectorAll('.tillwise-title')].map(({textContent}) => textContent));
  paint(...['Loaf', 'Coffee', 'Tea'].map((title) => ({product: {...PRODUCT, title}, offer_id: title})));
  expect(titles()).toEqual([['Loaf', 'Coffee'], ['Tea']]);
  paint({product: PRODUCT});
  expect(titles()).toEqual([['Sourdough Loaf'], []]);
  expect(other.dataset.tillwiseShelf).toBe('empty');
});

test('an impression, a refusal and what is added are told once each', async () => {
  const published = visitor(ALL);
  vi.stubGlobal('fetch', async () => new Response('{}'));
  paint({product: PRODUCT});
  shelf.querySelector<HTMLElement>('.tillwise-press')!.click();
  shelf.querySelector<HTMLElement>('.tillwise-press')!.click();
  await eventually(() => expect(shelf.querySelector('a')?.textContent).toBe('View cart'));
  expect(published.map(({name}) => name)).toEqual(['tillwise:offer_shown', 'tillwise:offer_accepted']);
  expect(published[0]!.data).toMatchObject({surface: 'storefront', variant_id: PRODUCT.variant_id});
});

test.each([
  ['with its reason', WHY],
  ['that has no reason', []],
])('what became of a product %s is read in its card', async (_, why) => {
  let [status, said] = [422, {}];
  vi.stubGlobal('fetch', async () => Response.json(said, {status}));
  paint({product: PRODUCT, why});
  const press = shelf.querySelector<HTMLElement>('.tillwise-press')!;
  press.click();
  await eventually(() => expect(shelf.querySelector('.tillwise-why')?.textContent).toBe('Could not be added'));
  expect(press.textContent).toBe('Try again');
  said = {description: 'You can’t add more Sourdough Loaf to the cart.'};
  press.click();
  await eventually(() => expect(shelf.querySelector('.tillwise-why')?.textContent).toBe('You can’t add more Sourdough Loaf to the cart.'));
  expect(shelf.querySelector('[role=status]')?.textContent).toBe('You can’t add more Sourdough Loaf to the cart.');
  expect(press.ariaLabel).toBe('Try again to add Sourdough Loaf. You can’t add more Sourdough Loaf to the cart.');
  status = 200;
  press.click();
  await eventually(() => expect(shelf.querySelector('.tillwise-why')?.textContent).toBe('Added to your cart'));
  expect(shelf.querySelector('.tillwise-no')).toBeNull();
});

test('two clicks are one line, marked with the decision', async () => {
  const bodies: string[] = [];
  vi.stubGlobal('fetch', async (address: string, {body}: {body: string}) => {
    bodies.push(`${address} ${body}`);
    return new Response('{}');
  });
  paint({product: PRODUCT});
  const press = shelf.querySelector<HTMLElement>('.tillwise-press')!;
  press.click();
  press.click();
  await eventually(() => expect(shelf.querySelector('a')).not.toBeNull());
  const properties = {_tillwise_decision: `d${decisions}`, _tillwise_offer: 'o1'};
  expect(bodies).toEqual([`/cart/add.js ${JSON.stringify({items: [{id: 102, quantity: 1, properties}]})}`]);
});

test('in a language that has no words of ours a moment is told in theirs', () => {
  const {words} = PAGE;
  paints = painter({...PAGE, locale: 'it', words: {...words, language: 'en'}}, TOOLS);
  paint({kind: 'coupon', discount: {code: 'TEN', percentage: 10, expires_at: new Date(Date.now() + 20 * 60_000).toISOString()}});
  expect(shelf.querySelector('.tillwise-why')?.textContent).toBe('Expires in 20 minutes');
});

test('a shelf that is out of sight and stays empty gives up its room; in sight it keeps it', () => {
  paints.paint(null);
  expect([shelf.dataset.tillwiseShelf, shelf.hidden]).toEqual(['empty', false]);
  vi.spyOn(shelf, 'getBoundingClientRect').mockReturnValue({top: innerHeight} as DOMRect);
  paints.paint(null);
  expect(shelf.hidden).toBe(true);
});

test('the dialog opens where there is something to say, is kept to two offers, and closes with Escape', () => {
  visitor(ALL);
  paints.part({offers: [], cart: CART});
  expect(dialog.open).toBe(false);
  paints.part({offers: ['a', 'b', 'c'].map((offer_id) => offer({product: PRODUCT, offer_id})), cart: CART});
  expect(dialog.open).toBe(true);
  expect(dialog.querySelectorAll('.tillwise-card')).toHaveLength(2);
  document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}));
  expect(dialog.open).toBe(false);
});

test('a visitor who refused analytics leaves a trace only by closing the dialog', () => {
  visitor(NOTHING);
  paints.part({offers: [offer({product: PRODUCT})], cart: CART});
  expect(sessionStorage.length).toBe(0);
  dialog.querySelector<HTMLElement>('[data-tillwise-close]')!.click();
  expect({...sessionStorage}).toEqual({tillwise_once: '1'});
});

test('“never” is kept for good', () => {
  paints.part({offers: [offer({product: PRODUCT})], cart: CART});
  dialog.querySelector<HTMLElement>('[data-tillwise-close="never"]')!.click();
  expect({...localStorage}).toEqual({tillwise_never: '1'});
});

test('what is taken away is gone at once, from the shelf and the dialog', () => {
  paint({product: PRODUCT});
  paints.part({offers: [offer({product: PRODUCT})], cart: CART});
  paints.clear();
  expect(document.querySelectorAll('.tillwise-card')).toHaveLength(0);
  expect(dialog.open).toBe(false);
});
