// @vitest-environment jsdom
/// <reference types="@shopify/ui-extensions/purchase.checkout.block.render" />
import {setUpExtension} from '@shopify/ui-extensions-tester';
import {createResult} from '@shopify/ui-extensions-tester/checkout';
import {fireEvent, waitFor} from '@testing-library/preact';
import {describe, expect, test, vi} from 'vitest';
import {answer, wireUpsell} from './offers.ts';

const words = () => document.body.textContent ?? '';
const button = () => document.querySelector('s-button') as HTMLElement;
const replying = (body: unknown, status = 200) => vi.fn<typeof fetch>(async () => Response.json(body, {status}));
const COUPON = {offer_id: 'c1', kind: 'coupon', discount: {code: 'TEN', percentage: 10}, why: []};
const BAR = {
  offer_id: 'p1', kind: 'progress', why: [], progress: {current: '1.00', target: '900.00', currency: 'USD'},
  message: {key: 'progress.free_shipping', args: {}},
};
const TEXT = {offer_id: 'm1', kind: 'message', why: [], message: {key: 'own', args: {name: 'Ada'}, text: 'Hello {name}'}};

describe.each(['purchase.checkout.block.render', 'purchase.checkout.cart-line-list.render-after'] as const)('%s', (target) => {
  const surface = target.includes('block') ? 'checkout' : 'checkout_lines';

  test('goes from skeleton to offer to adding to added and back', async () => {
    using extension = setUpExtension(target);
    const fetch = (extension.fetch = replying(answer()));
    let finish = () => undefined as void;
    extension.shopify.applyCartLinesChange = vi.fn(() => new Promise<{type: 'success'}>((resolve) => (finish = () => resolve({type: 'success'}))));
    await extension.render();
    expect(document.querySelectorAll('s-skeleton-paragraph')).toHaveLength(3);
    await waitFor(() => expect(words()).toContain('Oat biscuits'));
    expect(JSON.parse(String(fetch.mock.calls[0]?.[1]?.body))).toMatchObject({surface});
    fireEvent.click(button());
    await waitFor(() => expect(button().getAttribute('loading')).toBe('true'));
    finish();
    await waitFor(() => expect(words()).toContain('status.added'));
    fireEvent.click(button());
    await waitFor(() => expect(words()).toContain('reason.bought_together'));
  });

  test.each([['Conflict', 'status.failed'], ['Out of stock', 'status.sold_out']])('told %s says %s', async (message, says) => {
    using extension = setUpExtension(target);
    extension.fetch = replying(answer());
    extension.shopify.applyCartLinesChange = vi.fn(async () => createResult('applyCartLinesChange', {type: 'error', message}));
    await extension.render();
    await waitFor(() => expect(words()).toContain('Oat biscuits'));
    fireEvent.click(button());
    await waitFor(() => expect(words()).toContain(says));
  });

  test('shows a coupon, a bar and the merchant’s words above the product', async () => {
    using extension = setUpExtension(target);
    extension.fetch = replying(answer({offers: [wireUpsell(), COUPON, BAR, TEXT]}));
    await extension.render();
    await waitFor(() => expect(words()).toContain('coupon.save_order'));
    const order = ['coupon.save_order', 'message.progress.free_shipping', 'Hello Ada', 'Oat biscuits'].map((each) => words().indexOf(each));
    expect(order).toEqual([...order].sort((one, other) => one - other));
    expect(document.querySelector('s-progress')?.getAttribute('max')).toBe('900');
  });

  test('what is refused goes, is told once, and does not come back with the next answer', async () => {
    using extension = setUpExtension(target);
    extension.fetch = replying(answer());
    const publish = vi.spyOn(extension.shopify.analytics, 'publish');
    await extension.render();
    await waitFor(() => expect(words()).toContain('Oat biscuits'));
    fireEvent.click(document.querySelector('s-link') as HTMLElement);
    await waitFor(() => expect(document.body.innerHTML).toBe(''));
    await waitFor(() => expect(publish.mock.calls.map(([name]) => name)).toEqual(['tillwise:offer_shown', 'tillwise:offer_dismissed']));
  });
});

describe.each(['purchase.thank-you.block.render', 'customer-account.order-status.block.render'] as const)('%s', (target) => {
  test('links to a new cart, and says so to the app', async () => {
    using extension = setUpExtension(target);
    const fetch = (extension.fetch = replying(answer()));
    Object.assign(extension.shopify.shop, {storefrontUrl: 'https://shop.example.test'});
    await extension.render();
    await waitFor(() => expect(words()).toContain('Oat biscuits'));
    expect(button().getAttribute('href')).toMatch('https://shop.example.test/cart/70:1?properties=');
    const surface = target.includes('thank-you') ? 'thank_you' : 'order_status';
    expect(JSON.parse(String(fetch.mock.calls[0]?.[1]?.body))).toMatchObject({surface});
  });

  test.each([['a coupon', COUPON, 'coupon.next_order'], ['a message', TEXT, 'Hello Ada']])('shows %s', async (_, offer, says) => {
    using extension = setUpExtension(target);
    extension.fetch = replying(answer({offers: [offer]}));
    await extension.render();
    await waitFor(() => expect(words()).toContain(says));
    expect(document.querySelector('s-button')).toBeNull();
  });

  test('an app that fails leaves nothing', async () => {
    using extension = setUpExtension(target);
    extension.fetch = replying({}, 503);
    await extension.render();
    expect(document.querySelector('s-skeleton-paragraph')).not.toBeNull();
    await waitFor(() => expect(document.body.innerHTML).toBe(''));
  });
});

describe('in the merchant’s editor', () => {
  const editing = (settings = {}) => {
    const extension = setUpExtension('purchase.checkout.block.render');
    Object.assign(extension.shopify, {extension: {...extension.shopify.extension, editor: {type: 'checkout'}}});
    extension.shopify.settings.value = settings;
    const fetch = (extension.fetch = replying(answer()));
    return {extension, fetch, publish: vi.spyOn(extension.shopify.analytics, 'publish')};
  };

  test('samples stand for the offers, and nobody is asked or told', async () => {
    const {extension, fetch, publish} = editing({max_offers: 2});
    using _ = extension;
    // The sample of a checkout may be sent for free.
    Object.assign(extension.shopify.cost, {totalShippingAmount: {value: {amount: 0, currencyCode: 'USD'}}});
    const change = vi.spyOn(extension.shopify, 'applyCartLinesChange');
    await extension.render();
    expect(words()).toContain('sample.note');
    expect(document.querySelectorAll('s-product-thumbnail')).toHaveLength(2);
    expect(words()).toContain('coupon.save_order');
    expect(document.querySelector('s-progress')).not.toBeNull();
    document.querySelectorAll('s-button').forEach((each) => fireEvent.click(each));
    await waitFor(() => expect(words()).toContain('status.added'));
    expect([fetch, publish, change].map((each) => each.mock.calls)).toEqual([[], [], []]);
  });

  test.each<[Record<string, unknown>, string]>([
    [{show_messages: false}, 'coupon.save_order'],
    [{show_products: false}, 'sample.product'],
    [{show_reason: false}, 'reason.bought_together'],
    [{show_dismiss: false}, 'button.dismiss'],
  ])('with %o there is no %s', async (settings, gone) => {
    const {extension} = editing(settings);
    using _ = extension;
    await extension.render();
    expect(words()).toContain('sample.note');
    expect(words()).not.toContain(gone);
  });
});
