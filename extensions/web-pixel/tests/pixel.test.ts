import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {ACTIVE, DOM_EVENTS, EVENTS, type TrackedEvent} from '../src/events.ts';
import {ACTIVE_EVERY_MS, pixel} from '../src/pixel.ts';
import {MOST_EVENTS} from '../src/visit.ts';
import {ALL, ANALYTICS, CHECKOUT, createShopify, NONE, shopifyEvent} from './shopify.ts';

const fetch = vi.fn<typeof globalThis.fetch>();
const settle = () => vi.advanceTimersByTimeAsync(5000);
const sent = (): TrackedEvent[] => fetch.mock.calls.flatMap(([, request]) => JSON.parse(String(request?.body)).events);

beforeEach(() => {
  vi.useFakeTimers();
  fetch.mockReset().mockImplementation(async () => new Response('{}', {status: 202}));
  vi.stubGlobal('fetch', fetch);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('it subscribes to every event that it can minimise', () => {
  const shopify = createShopify(ALL);
  pixel(shopify.api);
  expect(shopify.subscribed()).toEqual([...DOM_EVENTS, ...Object.keys(EVENTS)]);
});

test('events go to the app with the shop’s key, and outlive the page', async () => {
  const shopify = createShopify(ALL);
  pixel(shopify.api);
  shopify.fire(shopifyEvent('page_viewed', {id: 'a'}));
  shopify.fire(shopifyEvent('page_viewed', {id: 'b'}));
  await settle();
  expect(fetch).toHaveBeenCalledTimes(1);
  const [address, request] = fetch.mock.calls[0]!;
  expect(address).toBe('https://app.example.test/api/track_event');
  expect(request).toMatchObject({method: 'POST', keepalive: true, headers: {Authorization: 'Bearer pk_test', 'Content-Type': 'application/json'}});
  expect(sent().map(({id, client_id}) => [id, client_id])).toEqual([['a', 'client-1'], ['b', 'client-1']]);
});

test.each(['checkout_started', 'checkout_completed'])('%s does not wait', async (name) => {
  const shopify = createShopify(ALL);
  pixel(shopify.api);
  shopify.fire(shopifyEvent(name, {data: {checkout: CHECKOUT}}));
  await vi.advanceTimersByTimeAsync(0);
  expect(sent()).toHaveLength(1);
});

test('a page in use says so now and then, and nothing of what is done in it', async () => {
  const shopify = createShopify(ALL);
  pixel(shopify.api);
  const typed = {data: {element: {id: 'email', value: 'ada@example.test'}}} as never;
  for (const name of DOM_EVENTS) shopify.fire(shopifyEvent(name, typed));
  await vi.advanceTimersByTimeAsync(ACTIVE_EVERY_MS);
  shopify.fire(shopifyEvent('clicked', typed));
  await settle();
  expect(sent().map(({name, data}) => [name, data])).toEqual([[ACTIVE, {}], [ACTIVE, {}]]);
});

test('without a key nothing is subscribed to', () => {
  const shopify = createShopify(ALL, {});
  pixel(shopify.api);
  expect(shopify.subscribed()).toEqual([]);
});

describe('consent', () => {
  test('before analytics is allowed nothing is stored or sent', async () => {
    const shopify = createShopify({...ALL, analyticsProcessingAllowed: false});
    pixel(shopify.api);
    shopify.fire(shopifyEvent('page_viewed'));
    shopify.fire(shopifyEvent('clicked'));
    await settle();
    expect(fetch).not.toHaveBeenCalled();
    expect(shopify.stored.size).toBe(0);
  });

  test('once it is allowed, what comes after is sent under it', async () => {
    const shopify = createShopify(NONE);
    pixel(shopify.api);
    shopify.fire(shopifyEvent('page_viewed', {id: 'before'}));
    shopify.consent(ANALYTICS);
    shopify.fire(shopifyEvent('page_viewed', {id: 'after'}));
    await settle();
    expect(sent().map(({id, consent}) => [id, consent.analytics, consent.marketing])).toEqual([['after', true, false]]);
  });

  test('a browser that asks for no sale says so with each event', async () => {
    vi.stubGlobal('navigator', {globalPrivacyControl: true});
    const shopify = createShopify(ALL);
    pixel(shopify.api);
    shopify.fire(shopifyEvent('page_viewed'));
    await settle();
    expect(sent()[0]?.consent).toEqual({analytics: true, marketing: true, preferences: true, sale_of_data: true, gpc: true});
  });
});

describe('withdrawal', () => {
  const names = () => sent().map(({name}) => name);

  test('is the last thing that the app is told: which browser, what is allowed now, and no more', async () => {
    const shopify = createShopify(ALL);
    pixel(shopify.api);
    shopify.fire(shopifyEvent('page_viewed'));
    await settle();
    shopify.consent(NONE);
    shopify.fire(shopifyEvent('page_viewed'));
    await settle();
    expect(names()).toEqual(['page_viewed', 'tillwise:consent_changed']);
    expect(sent()[1]).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      name: 'tillwise:consent_changed',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      client_id: 'client-1',
      data: {},
      consent: {analytics: false, marketing: false, preferences: false, sale_of_data: false},
    });
  });

  test('does not wait for company', async () => {
    const shopify = createShopify(ALL);
    pixel(shopify.api);
    shopify.fire(shopifyEvent('page_viewed'));
    shopify.consent(NONE);
    await vi.advanceTimersByTimeAsync(0);
    expect(names()).toEqual(['tillwise:consent_changed']);
  });

  test('says what is still allowed', async () => {
    const shopify = createShopify(ALL);
    pixel(shopify.api);
    shopify.fire(shopifyEvent('page_viewed'));
    shopify.consent({...ALL, analyticsProcessingAllowed: false});
    await settle();
    expect(sent().map(({consent}) => consent)).toEqual([{analytics: false, marketing: true, preferences: true, sale_of_data: true}]);
  });

  test('forgets what waited, and the visit’s count', async () => {
    const shopify = createShopify(ALL);
    pixel(shopify.api);
    shopify.fire(shopifyEvent('page_viewed'));
    await vi.advanceTimersByTimeAsync(10);
    expect(shopify.stored.size).toBe(1);
    shopify.consent(NONE);
    await settle();
    expect(names()).toEqual(['tillwise:consent_changed']);
    expect(shopify.stored.size).toBe(0);
  });

  test('while the visit’s count is read holds for that event too', async () => {
    const shopify = createShopify(ALL);
    pixel(shopify.api);
    shopify.fire(shopifyEvent('page_viewed'));
    shopify.consent(NONE);
    await settle();
    expect(names()).toEqual(['tillwise:consent_changed']);
    expect(shopify.stored.size).toBe(0);
  });

  test('before any event is told with the first one, which itself stays untold', async () => {
    const shopify = createShopify(ALL);
    pixel(shopify.api);
    shopify.consent(NONE);
    await settle();
    expect(fetch).not.toHaveBeenCalled();
    shopify.fire(shopifyEvent('page_viewed', {clientId: 'client-9'}));
    await settle();
    expect(sent().map(({name, client_id}) => [name, client_id])).toEqual([['tillwise:consent_changed', 'client-9']]);
  });

  test('that was taken back before it could be told is not told', async () => {
    const shopify = createShopify(ALL);
    pixel(shopify.api);
    shopify.consent(NONE);
    shopify.consent(ALL);
    shopify.fire(shopifyEvent('page_viewed'));
    await settle();
    expect(names()).toEqual(['page_viewed']);
  });

  test('is told once, however often a refusal is repeated', async () => {
    const shopify = createShopify(ALL);
    pixel(shopify.api);
    shopify.fire(shopifyEvent('page_viewed'));
    for (let time = 0; time < 3; time += 1) shopify.consent(NONE);
    await settle();
    expect(names()).toEqual(['tillwise:consent_changed']);
  });

  test('is tried once more when the app is not reached', async () => {
    fetch.mockRejectedValueOnce(new TypeError('Failed to fetch'));
    const shopify = createShopify(ALL);
    pixel(shopify.api);
    shopify.fire(shopifyEvent('page_viewed'));
    shopify.consent(NONE);
    await settle();
    expect(new Set(sent().map(({id}) => id)).size).toBe(1);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  test('is tried for minutes while the app is away: nothing else will tell', async () => {
    fetch.mockResolvedValueOnce(new Response('', {status: 503})).mockResolvedValueOnce(new Response('', {status: 429}));
    fetch.mockRejectedValueOnce(new TypeError('Failed to fetch')).mockRejectedValueOnce(new TypeError('Failed to fetch'));
    const shopify = createShopify(ALL);
    pixel(shopify.api);
    shopify.fire(shopifyEvent('page_viewed'));
    shopify.consent(NONE);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(fetch).toHaveBeenCalledTimes(5);
    expect(new Set(sent().map(({id, name}) => `${id} ${name}`)).size).toBe(1);
  });

  test('is not tried again after a new yes, which it would come later than', async () => {
    fetch.mockRejectedValueOnce(new TypeError('Failed to fetch'));
    const shopify = createShopify(ALL);
    pixel(shopify.api);
    shopify.fire(shopifyEvent('page_viewed'));
    shopify.consent(NONE);
    await vi.advanceTimersByTimeAsync(10);
    shopify.consent(ALL);
    shopify.fire(shopifyEvent('page_viewed'));
    await settle();
    expect(names()).toEqual(['tillwise:consent_changed', 'page_viewed']);
  });

  test('reaches an event that the app has not got yet: it is not tried again', async () => {
    fetch.mockRejectedValueOnce(new TypeError('Failed to fetch'));
    const shopify = createShopify(ALL);
    pixel(shopify.api);
    shopify.fire(shopifyEvent('checkout_completed'));
    await vi.advanceTimersByTimeAsync(10);
    shopify.consent(NONE);
    await settle();
    expect(names()).toEqual(['checkout_completed', 'tillwise:consent_changed']);
  });

  test('after a new yes the visit begins anew', async () => {
    const shopify = createShopify(ALL);
    pixel(shopify.api);
    shopify.fire(shopifyEvent('page_viewed'));
    shopify.consent(NONE);
    await settle();
    shopify.consent(ANALYTICS);
    shopify.fire(shopifyEvent('page_viewed'));
    await settle();
    expect(names()).toEqual(['tillwise:consent_changed', 'page_viewed']);
    expect([...shopify.stored.values()]).toEqual(['1']);
  });

  test('a visitor who never allowed anything is never heard of', async () => {
    const shopify = createShopify(NONE);
    pixel(shopify.api);
    shopify.fire(shopifyEvent('page_viewed'));
    shopify.consent(NONE);
    shopify.consent({...ALL, analyticsProcessingAllowed: false});
    shopify.fire(shopifyEvent('page_viewed'));
    await settle();
    expect(fetch).not.toHaveBeenCalled();
    expect(shopify.stored.size).toBe(0);
  });
});

describe('limits', () => {
  test('an event is sent once however often it comes', async () => {
    const shopify = createShopify(ALL);
    pixel(shopify.api);
    for (let time = 0; time < 3; time += 1) shopify.fire(shopifyEvent('page_viewed', {id: 'same'}));
    await settle();
    expect(sent()).toHaveLength(1);
  });

  test('a visit ends at its cap, over all its pages', async () => {
    const shopify = createShopify(ALL);
    for (let page = 0; page < 3; page += 1) {
      pixel(shopify.api);
      for (let time = 0; time < 200; time += 1) shopify.fire(shopifyEvent('page_viewed'));
      await settle();
    }
    expect(sent()).toHaveLength(MOST_EVENTS);
  });

  test('a browser without storage still sends', async () => {
    const shopify = createShopify(ALL);
    const refuse = async () => Promise.reject(new Error('denied'));
    Object.assign(shopify.api.browser.sessionStorage, {getItem: refuse, setItem: refuse});
    pixel(shopify.api);
    shopify.fire(shopifyEvent('page_viewed'));
    await settle();
    expect(sent()).toHaveLength(1);
  });
});

describe('an app that does not answer', () => {
  test.each([500, 503, 429])('is tried once more after %i', async (status) => {
    fetch.mockImplementation(async () => new Response('', {status}));
    const shopify = createShopify(ALL);
    pixel(shopify.api);
    shopify.fire(shopifyEvent('page_viewed'));
    await settle();
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  test('is tried once more when it is not reached', async () => {
    fetch.mockRejectedValueOnce(new TypeError('Failed to fetch'));
    const shopify = createShopify(ALL);
    pixel(shopify.api);
    shopify.fire(shopifyEvent('page_viewed'));
    await settle();
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  test('is not asked again when it refuses', async () => {
    fetch.mockImplementation(async () => new Response('', {status: 401}));
    const shopify = createShopify(ALL);
    pixel(shopify.api);
    shopify.fire(shopifyEvent('page_viewed'));
    await settle();
    expect(fetch).toHaveBeenCalledTimes(1);
  });
});
