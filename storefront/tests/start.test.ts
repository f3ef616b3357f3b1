import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {ALL, eventually, NOTHING, PAGE, visitor, write} from './page.ts';

const ITEM = {product_id: 1, variant_id: 101, quantity: 2, final_price: 349, product_title: 'Whole Milk'};
const CODES = [{code: 'TEN', applicable: true}, {code: 'OVER', applicable: false}];
const AJAX = {currency: 'USD', discount_codes: CODES, items_subtotal_price: 698, total_price: 698, items: [ITEM]};

let asked: Record<string, unknown>[];
let proxies: number;
let paths: string[];

/** The shop's Ajax API, and the app behind the proxy. */
async function shop(address: string): Promise<Response> {
  if (address === '/cart.js') return Response.json(AJAX);
  proxies += 1;
  paths.push(address.split('?')[0]!);
  const query = new URL(address, 'https://shop.example.test').searchParams;
  asked.push(JSON.parse(query.get('question')!) as Record<string, unknown>);
  return Response.json({decision_id: 'd1', offers: []});
}

/** What earlier pages listen to ends with them. */
const listened: [EventTarget, string, EventListener][] = [];
for (const target of [document, window]) {
  const listen = target.addEventListener.bind(target);
  target.addEventListener = (name: string, hears: EventListener, how?: AddEventListenerOptions) => {
    listened.push([target, name, hears]);
    listen(name, hears, how);
  };
}

/** Load the page's script, as a browser does. */
async function load(): Promise<void> {
  vi.resetModules();
  delete document.documentElement.dataset.tillwiseStarted;
  await import('../src/index.ts');
}

beforeEach(() => {
  asked = [];
  proxies = 0;
  paths = [];
  vi.stubGlobal('fetch', shop);
  vi.stubGlobal('requestIdleCallback', (then: () => void) => setTimeout(then));
  vi.stubGlobal('matchMedia', () => ({matches: true}));
  HTMLDialogElement.prototype.close = () => undefined;
  document.cookie = '_shopify_y=abc-1';
  localStorage.clear();
  sessionStorage.clear();
  write();
});
afterEach(() => {
  for (const [target, name, hears] of listened.splice(0)) target.removeEventListener(name, hears);
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test('the question holds the cart, the page, the consent and where the visitor is', async () => {
  visitor(ALL);
  await load();
  await eventually(() => expect(asked).toHaveLength(1));
  expect(asked[0]).toEqual({
    surface: 'storefront',
    trigger_type: 'page',
    locale: 'en',
    country: 'US',
    product_id: 1,
    region: {country: 'US', province: 'CA'},
    consent: {analytics: true, marketing: true, preferences: true, sale_of_data: true},
    client_id: 'abc-1',
    cart: {
      codes: ['TEN'],
      currency: 'USD',
      subtotal: '6.98',
      lines: [{product_id: 1, variant_id: 101, quantity: 2, price: '3.49'}],
    },
  });
});

test('the app is asked where its configuration says, or where the merchant moved it to', async () => {
  visitor(ALL);
  await load();
  await eventually(() => expect(paths).toEqual(['/apps/tillwise/offers']));
  write(2, {...PAGE, proxy: '/a/suggestions'});
  await load();
  await eventually(() => expect(paths).toEqual(['/apps/tillwise/offers', '/a/suggestions/offers']));
});

test('however large the cart, the question fits into an address', async () => {
  visitor(ALL);
  const items = Array.from({length: 200}, (_, at) => ({...ITEM, product_id: 7_234_567_890_123 + at, variant_id: 41_234_567_890_123 + at, final_price: 123_450}));
  let longest = 0;
  vi.stubGlobal('fetch', (address: string) => {
    longest = Math.max(longest, address.length);
    return address === '/cart.js' ? Response.json({...AJAX, items}) : shop(address);
  });
  await load();
  await eventually(() => expect(asked).toHaveLength(1));
  expect(asked[0]).toMatchObject({cart: {subtotal: '6.98', lines: {length: 50}}});
  expect(longest).toBeLessThan(8000 - 400); // web servers take 8 KB as a rule, and Shopify adds a signature
});

test('who refused is asked for without a name', async () => {
  visitor(NOTHING);
  await load();
  await eventually(() => expect(asked).toHaveLength(1));
  expect(asked[0]).not.toHaveProperty('client_id');
});

test('without a place for messages yet, only products are asked for', async () => {
  visitor(ALL);
  document.querySelector('section')!.remove();
  await load();
  await eventually(() => expect(asked).toHaveLength(1));
  expect(asked[0]).toMatchObject({wants: 'products'});
});

test('with nowhere to show an offer, nobody is asked', async () => {
  visitor(ALL);
  document.querySelector('section')!.remove();
  localStorage.setItem('tillwise_never', '1');
  await load();
  await new Promise((done) => setTimeout(done, 20));
  expect(proxies).toBe(0);
});

test('each answer to the banner is a reason to ask again', async () => {
  visitor(ALL);
  await load();
  await eventually(() => expect(asked).toHaveLength(1));
  visitor(NOTHING);
  document.dispatchEvent(new CustomEvent('visitorConsentCollected'));
  await eventually(() => expect(asked).toHaveLength(2));
  expect(asked[1]).toMatchObject({consent: {marketing: false}});
});

test('two blocks bring the script twice, and it starts once', async () => {
  visitor(ALL);
  await load();
  vi.resetModules();
  await import('../src/index.ts');
  await eventually(() => expect(asked).toHaveLength(1));
  await new Promise((done) => setTimeout(done, 20));
  expect(proxies).toBe(1);
});

test('a page that goes out of sight tells that it was left, once', async () => {
  const published = visitor(ALL);
  await load();
  await eventually(() => expect(asked).toHaveLength(1));
  dispatchEvent(new Event('pagehide'));
  dispatchEvent(new Event('pagehide'));
  expect(published.filter(({name}) => name === 'tillwise:page_left')).toEqual([{name: 'tillwise:page_left', data: {}}]);
});

test('a link that leads away tells it before the page is gone; one within the page, or of the theme\'s own, does not', async () => {
  const published = visitor(ALL);
  document.body.insertAdjacentHTML('beforeend', '<a href="#x">x</a><a href="/menu" id="own">y</a><a href="/cart"><b>z</b></a>');
  document.getElementById('own')!.addEventListener('click', (event) => event.preventDefault());
  await load();
  await eventually(() => expect(asked).toHaveLength(1));
  const told = () => published.filter(({name}) => name === 'tillwise:page_left').length;
  document.querySelector<HTMLElement>('[href="#x"]')!.click();
  document.getElementById('own')!.click();
  expect(told()).toBe(0);
  document.querySelector<HTMLElement>('b')!.click();
  dispatchEvent(new Event('pagehide'));
  expect(told()).toBe(1);
});

test('a small picture of the gallery is told of, anything else that is clicked is not', async () => {
  const published = visitor(ALL);
  document.body.insertAdjacentHTML('beforeend', '<ul class="Product__Thumbs"><li><button id="a"></button></li></ul><button id="b"></button>');
  await load();
  await eventually(() => expect(asked).toHaveLength(1));
  document.getElementById('b')!.click();
  document.getElementById('a')!.click();
  const clicks = published.filter(({name}) => name === 'tillwise:thumbnail_clicked');
  expect(clicks).toEqual([{name: 'tillwise:thumbnail_clicked', data: {product_id: '1'}}]);
});

test.each(['/cart.js', '/apps/tillwise/offers', '/cart/update.js'])('a page whose %s never answers is left as it was', async (silent) => {
  visitor(ALL);
  const over = new AbortController();
  vi.spyOn(AbortSignal, 'timeout').mockReturnValue(over.signal);
  const granted = {offer_id: 'g1', kind: 'coupon', discount: {code: null, percentage: 10, grant: 'g'}};
  const waits: AbortSignal[] = [];
  vi.stubGlobal('fetch', (address: string, how: RequestInit = {}) => {
    if (!address.startsWith(silent)) return Response.json(address === '/cart.js' ? {...AJAX, discount_codes: []} : {decision_id: 'd1', offers: [granted]});
    if (how.signal) waits.push(how.signal);
    return new Promise((_, reject) => how.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
  });
  await load();
  await eventually(() => expect(waits).toHaveLength(1));
  over.abort();
  await eventually(() => expect(document.querySelector<HTMLElement>('section')!.dataset.tillwiseShelf).toBe('empty'));
});

test('the theme editor is left alone', async () => {
  visitor(ALL);
  const script = document.querySelector('[data-tillwise-page]')!;
  script.textContent = JSON.stringify({...PAGE, design: true});
  await load();
  await new Promise((done) => setTimeout(done, 20));
  expect(proxies).toBe(0);
});
