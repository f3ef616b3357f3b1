import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {nameCart} from '../src/guest.ts';
import type {Page} from '../src/page.ts';
import {ALL, NOTHING, PAGE, visitor} from './page.ts';

const sent: string[] = [];
/** What the browser tells of a request that it has made. */
let requested: (address: string) => void;

beforeEach(() => {
  sent.length = 0;
  over = new AbortController();
  vi.spyOn(document, 'addEventListener').mockImplementation((name: string, hears: EventListenerOrEventListenerObject) => listen(name, hears, over));
  document.cookie = '_shopify_y=abc-1';
  shop(200);
  vi.stubGlobal(
    'PerformanceObserver',
    class {
      constructor(tell: (list: {getEntries(): {name: string}[]}) => void) {
        requested = (name) => tell({getEntries: () => [{name}]});
      }
      observe() {}
    },
  );
});
/** What earlier carts listen to ends with them. */
let over: AbortController;
const listen = document.addEventListener.bind(document);

afterEach(() => {
  over.abort();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function shop(status: number): void {
  vi.stubGlobal('fetch', async (address: string, {body}: {body: string}) => {
    expect(address).toBe('/cart/update.js');
    sent.push((JSON.parse(body) as {attributes: Record<string, string>}).attributes._tillwise_browser!);
    return new Response('{}', {status});
  });
}

function cart(filled: boolean, browser = ''): Page {
  return {...PAGE, cart: {filled, browser}};
}

const settled = () => new Promise((done) => setTimeout(done));

test.each([
  ['a cart with something in it is told its browser', true, '', ['abc-1']],
  ['one that knows it already is not', true, 'abc-1', []],
  ['one that was another browser’s is told its own', true, 'other', ['abc-1']],
  ['an empty one is left alone', false, '', []],
] as const)('%s', async (_, filled, browser, told) => {
  visitor(ALL);
  nameCart(cart(filled, browser));
  await settled();
  expect(sent).toEqual(told);
});

test('who does not allow analytics leaves no name on the cart, and what was there goes', async () => {
  visitor(NOTHING);
  nameCart(cart(true));
  await settled();
  expect(sent).toEqual([]);
  nameCart(cart(true, 'abc-1'));
  await settled();
  expect(sent).toEqual(['']);
});

test.each([
  ['of the theme’s own script', () => requested('https://shop.example.test/cart/add.js')],
  ['by Shopify’s action', () => document.dispatchEvent(Object.assign(new Event('shopify:cart:lines-update'), {promise: Promise.resolve()}))],
])('the first thing in the cart names it, %s, without waiting for another page', async (_, add) => {
  visitor(ALL);
  nameCart(cart(false));
  requested('https://shop.example.test/products/tea');
  await settled();
  expect(sent).toEqual([]);
  add();
  await settled();
  add();
  await settled();
  expect(sent).toEqual(['abc-1']);
});

test('a consent that is taken back at once has the last word, and so has a new one', async () => {
  visitor(ALL);
  const again = nameCart(cart(true));
  visitor(NOTHING);
  again();
  visitor(ALL);
  again();
  visitor(NOTHING);
  again();
  await settled();
  expect(sent.at(-1) ?? '').toBe('');
  visitor(ALL);
  again();
  await settled();
  expect(sent.at(-1)).toBe('abc-1');
});

test('what the shop did not take is told again with the next thing in the cart', async () => {
  visitor(ALL);
  shop(429);
  nameCart(cart(true));
  await settled();
  shop(200);
  requested('/cart/add');
  await settled();
  expect(sent).toEqual(['abc-1', 'abc-1']);
});
