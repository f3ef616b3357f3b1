// @vitest-environment jsdom
/// <reference types="@shopify/ui-extensions/purchase.checkout.block.render" />
import {signal} from '@preact/signals';
import {setUpExtension} from '@shopify/ui-extensions-tester';
import {fireEvent, waitFor} from '@testing-library/preact';
import {afterEach, describe, expect, test, vi} from 'vitest';
import {TIMEOUT_MS} from '../src/client.ts';
import {PRODUCT_FIRST_MS, UPGRADE_MS} from '../src/useOffers.ts';
import {answer, wireUpsell} from './offers.ts';
import {answered} from './privacy.ts';

const TARGET = 'purchase.checkout.block.render';
const words = () => document.body.textContent ?? '';
const button = () => document.querySelector('s-button') as HTMLElement;
const LIVE_ONE = {...wireUpsell().product, product_id: '8', variant_id: '80', title: 'Live one'};

/** A checkout whose shop put two products ahead, with this app behind it. */
function ahead(fetch: typeof globalThis.fetch) {
  const extension = setUpExtension(TARGET);
  const offers = [{p: 7, v: 70, t: 'Oat biscuits', o: 'Box of 20', c: '12.50', w: [['popular']]}, {p: 6, v: 60, t: 'Tea', c: '3.00'}];
  const value = JSON.stringify({v: 1, currency: 'USD', salt: 'mock', arms: [['personalised', 1]], offers});
  extension.shopify.appMetafields.value = [
    {target: {type: 'shop', id: '1'}, metafield: {namespace: '$app', key: 'offers', type: 'json', value, valueType: 'json_string'}},
  ];
  extension.shopify.checkoutToken.value = 'token-1';
  // The tester tells nothing of who buys: with a no the checkout itself is what the arm goes by.
  extension.shopify.customerPrivacy.value = answered(false);
  extension.fetch = fetch;
  return {extension, publish: vi.spyOn(extension.shopify.analytics, 'publish')};
}

/** An app that answers when it is told to. */
function held() {
  let answerWith = (_: unknown) => undefined as void;
  const fetch = () => new Promise<Response>((resolve) => (answerWith = (body) => resolve(Response.json(body))));
  return {fetch, answerWith: (body: unknown) => answerWith(body)};
}

afterEach(() => void vi.useRealTimers());

const names = (publish: {mock: {calls: unknown[][]}}) => publish.mock.calls.map(([name]) => name);

test('the first render has an offer, before anything was asked', async () => {
  const {extension} = ahead(() => new Promise(() => undefined));
  using _ = extension;
  await extension.render();
  expect(words()).toContain('Oat biscuits');
  expect(words()).toContain('Box of 20');
  expect(document.querySelector('s-product-thumbnail')?.getAttribute('alt')).toBe('Oat biscuits, Box of 20');
  expect(words()).toContain('reason.popular');
  expect(document.querySelector('s-skeleton-paragraph')).toBeNull();
});

test('an app that fails leaves it there, and it is counted nowhere', async () => {
  const {extension, publish} = ahead(vi.fn(async () => new Response('no', {status: 503})));
  using _ = extension;
  await extension.render();
  await waitFor(() => expect(extension.fetch).toHaveBeenCalled());
  fireEvent.click(button());
  await waitFor(() => expect(words()).toContain('status.added'));
  expect(publish).not.toHaveBeenCalled();
});

test('an app that could come to no decision leaves it there', async () => {
  vi.useFakeTimers();
  const {extension} = ahead(vi.fn(async () => Response.json(answer({arm: 'none', offers: [], fallback: 'error'}))));
  using _ = extension;
  await extension.render();
  await vi.advanceTimersByTimeAsync(UPGRADE_MS);
  expect(extension.fetch).toHaveBeenCalled();
  expect(words()).toContain('Oat biscuits');
});

test('the answer takes its place, and only that is an impression', async () => {
  const app = held();
  const {extension, publish} = ahead(app.fetch);
  using _ = extension;
  await extension.render();
  await waitFor(() => expect(words()).toContain('Oat biscuits'));
  app.answerWith(answer({offers: [wireUpsell({product: LIVE_ONE})]}));
  await waitFor(() => expect(words()).toContain('Live one'));
  expect(words()).not.toContain('Oat biscuits');
  await waitFor(() => expect(publish.mock.calls).toEqual([['tillwise:offer_shown', expect.objectContaining({decision_id: 'd1', offer_id: 'o1'})]]));
});

test('taken before the answer, it waits for its name and is then added under it, once', async () => {
  const app = held();
  const {extension, publish} = ahead(app.fetch);
  using _ = extension;
  const change = (extension.shopify.applyCartLinesChange = vi.fn(async () => ({type: 'success' as const})));
  await extension.render();
  fireEvent.click(button());
  await waitFor(() => expect(button().getAttribute('loading')).toBe('true'));
  expect(change).not.toHaveBeenCalled();
  app.answerWith(answer());
  await waitFor(() => expect(words()).toContain('status.added'));
  expect(change.mock.calls).toEqual([[expect.objectContaining({
    attributes: [{key: '_tillwise_decision', value: 'd1'}, {key: '_tillwise_offer', value: 'o1'}],
  })]]);
  expect(names(publish)).toEqual(['tillwise:offer_shown', 'tillwise:offer_accepted']);
});

test('refused before the answer, it is gone, and the refusal is told once it has a name', async () => {
  const app = held();
  const {extension, publish} = ahead(app.fetch);
  using _ = extension;
  await extension.render();
  fireEvent.click(document.querySelector('s-link') as HTMLElement);
  await waitFor(() => expect(words()).not.toContain('Oat biscuits'));
  app.answerWith(answer());
  await waitFor(() => expect(names(publish)).toEqual(['tillwise:offer_shown', 'tillwise:offer_dismissed']));
  expect(words()).not.toContain('Oat biscuits');
});

test('a market that is known a moment later asks anew, and still nothing moves', async () => {
  const app = held();
  const fetch = vi.fn(app.fetch);
  const {extension} = ahead(fetch);
  using _ = extension;
  const country = signal<{isoCode: string} | undefined>(undefined);
  Object.assign(extension.shopify.localization, {country});
  await extension.render();
  await waitFor(() => expect(fetch).toHaveBeenCalledTimes(1));
  country.value = {isoCode: 'CA'};
  await waitFor(() => expect(fetch).toHaveBeenCalledTimes(2));
  const help = {offer_id: 'b1', kind: 'banner', message: {key: 'banner.help', args: {}}, why: []};
  app.answerWith(answer({offers: [help, wireUpsell({product: LIVE_ONE})]}));
  await waitFor(() => expect(words()).toContain('Live one'));
  expect(words()).not.toContain('message.banner.help');
});

test('an answer without offers ends what was painted', async () => {
  const {extension, publish} = ahead(async () => Response.json(answer({arm: 'holdout', offers: []})));
  using _ = extension;
  await extension.render();
  await waitFor(() => expect(document.body.innerHTML).toBe(''));
  expect(publish).not.toHaveBeenCalled();
});

describe('metafields that Shopify hands over after the first render', () => {
  /** A checkout of such an app, and what hands them over. */
  function later(fetch: typeof globalThis.fetch) {
    const {extension} = ahead(fetch);
    const {value} = extension.shopify.appMetafields;
    const appMetafields = signal<typeof value>([]);
    Object.assign(extension.shopify, {appMetafields});
    return {extension, handOver: () => (appMetafields.value = value)};
  }

  test('are painted when they come, and the answer takes their place', async () => {
    const app = held();
    const {extension, handOver} = later(app.fetch);
    using _ = extension;
    await extension.render();
    expect(document.querySelector('s-skeleton-paragraph')).not.toBeNull();
    handOver();
    await waitFor(() => expect(words()).toContain('Oat biscuits'));
    app.answerWith(answer({offers: [wireUpsell({product: LIVE_ONE})]}));
    await waitFor(() => expect(words()).toContain('Live one'));
    expect(words()).not.toContain('Oat biscuits');
  });

  test('are not painted any more once there is an answer, also one that holds the buyer out', async () => {
    const {extension, handOver} = later(async () => Response.json(answer({arm: 'holdout', offers: []})));
    using _ = extension;
    await extension.render();
    await waitFor(() => expect(document.body.innerHTML).toBe(''));
    handOver();
    await new Promise((done) => setTimeout(done));
    expect(document.body.innerHTML).toBe('');
  });

  test.each([
    ['are painted', 'while the page is still coming', UPGRADE_MS / 2, true],
    ['move nothing', 'later', UPGRADE_MS * 2, false],
  ])('%s where the app failed before them, %s', async (_, __, after_ms, painted) => {
    vi.useFakeTimers();
    const {extension, handOver} = later(vi.fn(async () => new Response('no', {status: 503})));
    using ___ = extension;
    await extension.render();
    await vi.advanceTimersByTimeAsync(after_ms);
    expect(document.body.innerHTML).toBe('');
    handOver();
    await vi.advanceTimersByTimeAsync(1);
    expect(words().includes('Oat biscuits')).toBe(painted);
  });
});

describe('a discount without a code whose grant the checkout is slow to take', () => {
  const GRANTED = {offer_id: 'g1', kind: 'coupon', discount: {code: null, percentage: 10, grant: 'g'}, why: []};
  const both = answer({offers: [GRANTED, wireUpsell({product: LIVE_ONE})]});
  const advance = (time_ms: number) => vi.advanceTimersByTimeAsync(time_ms);

  test('the live product comes in its time, and the message once it holds', async () => {
    vi.useFakeTimers();
    const {extension} = ahead(vi.fn(async () => Response.json(both)));
    using _ = extension;
    let take = () => undefined as void;
    extension.shopify.applyAttributeChange = vi.fn(() => new Promise<{type: 'success'}>((done) => (take = () => done({type: 'success'}))));
    await extension.render();
    await advance(UPGRADE_MS);
    expect(words()).toContain('Live one');
    expect(words()).not.toContain('coupon.no_code');
    take();
    await advance(PRODUCT_FIRST_MS);
    expect(words()).toContain('coupon.no_code');
  });

  test('one that is never taken is never promised', async () => {
    vi.useFakeTimers();
    const {extension} = ahead(vi.fn(async () => Response.json(both)));
    using _ = extension;
    extension.shopify.appMetafields.value = [];
    extension.shopify.applyAttributeChange = vi.fn(() => new Promise<never>(() => undefined));
    await extension.render();
    await advance(TIMEOUT_MS);
    expect(words()).toContain('Live one');
    await advance(60_000);
    expect(words()).not.toContain('coupon.no_code');
  });
});
