// @vitest-environment jsdom
/// <reference types="@shopify/ui-extensions/purchase.checkout.block.render" />
import {setUpExtension} from '@shopify/ui-extensions-tester';
import {signal} from '@preact/signals';
import {createCartLine} from '@shopify/ui-extensions-tester/checkout';
import {waitFor} from '@testing-library/preact';
import {describe, expect, test, vi} from 'vitest';
import {TARGET, one, replying, words} from './block.ts';
import {answer} from './offers.ts';
import {answered, live} from './privacy.ts';

test('a line is told at what it costs once the order’s own discounts are off it too: Shopify’s line does not know of those', async () => {
  using extension = setUpExtension(TARGET);
  const usd = (amount: number) => ({amount, currencyCode: 'USD' as const});
  const merchandise = (id: number) => ({...createCartLine().merchandise, id: `gid://shopify/ProductVariant/${id}`, product: {id: `gid://shopify/Product/${id}`}});
  const line = (id: number, amount: number, quantity = 1) =>
    ({...createCartLine({quantity, cost: {totalAmount: usd(amount)}}), merchandise: merchandise(id)});
  const lines = {value: [line(1, 30, 2), line(2, 10)]};
  const discountAllocations = {value: [{type: 'code', code: 'FOURTH', discountedAmount: usd(10)}]};
  Object.assign(extension.shopify, {lines, discountAllocations, cost: {subtotalAmount: {value: usd(40)}, totalShippingAmount: {value: undefined}}});
  const fetch = (extension.fetch = replying(answer()));
  await extension.render();
  const {cart} = JSON.parse(String(fetch.mock.calls[0]?.[1]?.body)) as {cart: {subtotal: string; lines: {price: string}[]}};
  expect([cart.subtotal, ...cart.lines.map(({price}) => price)]).toEqual(['40.00', '11.25', '7.50']);
});

describe('what the block asks for is what it shows', () => {
  const HELP = {offer_id: 'b1', kind: 'banner', message: {key: 'banner.help', args: {}}, why: []};
  const BAR = {offer_id: 'b2', kind: 'progress', message: {key: 'progress.free_shipping', args: {}}, progress: {current: '30', target: '50', currency: 'USD'}, why: []};
  const wanted = (fetch: ReturnType<typeof replying>) => fetch.mock.calls.map(([, request]) => JSON.parse(String(request?.body)).wants);

  test.each<[Record<string, boolean>, string | undefined]>([
    [{}, undefined],
    [{show_messages: false}, 'products'],
    [{show_products: false}, 'messages'],
  ])('with %o it asks for %s', async (settings, wants) => {
    using extension = setUpExtension(TARGET);
    extension.shopify.settings.value = settings;
    const fetch = (extension.fetch = replying(answer()));
    await extension.render();
    expect(wanted(fetch)).toEqual([wants]);
  });

  test('a block of messages has a banner and a bar', async () => {
    using extension = setUpExtension(TARGET);
    extension.shopify.settings.value = {show_products: false};
    extension.fetch = replying(answer({offers: [HELP, BAR]}));
    await extension.render();
    await waitFor(() => expect(words()).toContain('message.banner.help'));
    expect(one('s-progress')).not.toBeNull();
  });

  test('a bar that shipping’s price denied when the answer came is shown once it does not', async () => {
    using extension = setUpExtension(TARGET);
    const usd = (amount: number) => ({amount, currencyCode: 'USD' as const});
    const totalShippingAmount = signal(usd(4.9));
    Object.assign(extension.shopify, {cost: {subtotalAmount: {value: usd(52)}, totalShippingAmount}});
    extension.fetch = replying(answer({offers: [HELP, BAR]}));
    await extension.render();
    await waitFor(() => expect(words()).toContain('message.banner.help'));
    expect(one('s-progress')).toBeNull();
    totalShippingAmount.value = usd(0);
    await waitFor(() => expect(words()).toContain('message.progress.free_shipping_reached'));
  });

  test('while the buyer stays it asks for the one that stands at the top', async () => {
    using extension = setUpExtension(TARGET);
    extension.shopify.settings.value = {show_products: false};
    const bodies = [answer({offers: [], again_s: 0.01}), answer({decision_id: 'd2', offers: [HELP]})];
    const fetch = (extension.fetch = vi.fn<typeof globalThis.fetch>(async () => Response.json(bodies.shift())));
    await extension.render();
    await waitFor(() => expect(words()).toContain('message.banner.help'));
    expect(wanted(fetch)).toEqual(['messages', 'message']);
  });

  test('a block that shows neither asks for nothing, whatever changes', async () => {
    using extension = setUpExtension(TARGET);
    extension.shopify.settings.value = {show_products: false, show_messages: false};
    const fetch = (extension.fetch = replying(answer()));
    const customerPrivacy = live(extension.shopify, answered(true));
    await extension.render();
    customerPrivacy.value = answered(false);
    await new Promise((done) => setTimeout(done, 0));
    expect(fetch).not.toHaveBeenCalled();
    expect(document.body.innerHTML).toBe('');
  });
});
