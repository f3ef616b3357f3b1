// @vitest-environment jsdom
/// <reference types="@shopify/ui-extensions/purchase.checkout.block.render" />
import {signal} from '@preact/signals';
import {setUpExtension} from '@shopify/ui-extensions-tester';
import {createCartLine} from '@shopify/ui-extensions-tester/checkout';
import {fireEvent, waitFor} from '@testing-library/preact';
import {describe, expect, test, vi} from 'vitest';
import {TARGET, attribute, button, renderOffer, replying, words} from './block.ts';
import {answer, wireUpsell} from './offers.ts';

const TEN = {offer_id: 'c1', kind: 'coupon', discount: {code: 'TEN', percentage: 10}, why: []};
const asked = (fetch: ReturnType<typeof replying>) => fetch.mock.calls.map(([, request]) => JSON.parse(String(request?.body)).cart.codes);

/** A checkout with these codes, whose cart API takes and gives back codes and lines as Shopify's does. */
function checkout(body: unknown, ...codes: string[]) {
  const extension = setUpExtension(TARGET);
  const discountCodes = signal(codes.map((code) => ({code})));
  const lines = signal([createCartLine()]);
  Object.assign(extension.shopify, {discountCodes, lines});
  const apply = (extension.shopify.applyDiscountCodeChange = vi.fn(async ({type, code}: {type: string; code: string}) => {
    const others = discountCodes.value.filter((each) => each.code !== code);
    discountCodes.value = type === 'addDiscountCode' ? [...others, {code}] : others;
    return {type: 'success' as const};
  }) as never);
  extension.shopify.applyCartLinesChange = vi.fn(async (change: {type: string; attributes?: {key: string; value: string}[]; id?: string}) => {
    const added = createCartLine({id: 'gid://shopify/CartLine/2', attributes: change.attributes ?? []});
    lines.value = change.type === 'addCartLine' ? [...lines.value, added] : lines.value.filter(({id}) => id !== change.id);
    return {type: 'success' as const};
  }) as never;
  const fetch = (extension.fetch = replying(body));
  return {extension, discountCodes, lines, fetch, apply: apply as unknown as ReturnType<typeof vi.fn>};
}

/** Show the offer of the code and press it, until it is applied. */
async function applyTen(extension: ReturnType<typeof checkout>['extension']) {
  await extension.render();
  await waitFor(() => expect(words()).toContain('coupon.save_order'));
  fireEvent.click(button());
  await waitFor(() => expect(words()).toContain('coupon.applied'));
}

test('a code that the checkout has already can be taken off', async () => {
  const {extension, apply} = checkout(answer({offers: [TEN]}), 'TEN');
  using _ = extension;
  await extension.render();
  await waitFor(() => expect(words()).toContain('coupon.applied'));
  fireEvent.click(button());
  await waitFor(() => expect(apply.mock.calls).toEqual([[{type: 'removeDiscountCode', code: 'TEN'}]]));
  await waitFor(() => expect(button().textContent).toBe('button.apply'));
});

test('who does not see which offer a refusal stands below is told of it', async () => {
  const {extension} = checkout(answer({offers: [TEN]}));
  using _ = extension;
  extension.shopify.i18n.translate = ((key: string, args = {}) => [key, ...Object.values(args)].join(' ')) as never;
  await extension.render();
  await waitFor(() => expect(attribute('s-link', 'accessibilityLabel')).toContain('button.dismiss_label coupon.save_order'));
});

test('what became of a code is said to who does not see it; how long it is good, which changes by the minute, is not', async () => {
  const expires_at = new Date(Date.now() + 20 * 60_000).toISOString();
  const {extension} = checkout(answer({offers: [{...TEN, discount: {...TEN.discount, expires_at}}]}));
  using _ = extension;
  const aloud = () => Array.from(document.body.querySelectorAll('[accessibilityRole=status]'), ({textContent}) => textContent).join();
  await extension.render();
  await waitFor(() => expect(words()).toContain('coupon.expires'));
  expect(aloud()).not.toContain('coupon.expires');
  fireEvent.click(button());
  await waitFor(() => expect(aloud()).toContain('coupon.applied'));
});

test('a code that the buyer took off elsewhere is not said to be applied', async () => {
  const {extension, discountCodes} = checkout(answer({offers: [TEN]}));
  using _ = extension;
  await applyTen(extension);
  discountCodes.value = [];
  await waitFor(() => expect(button().textContent).toBe('button.apply'));
  expect(words()).not.toContain('coupon.applied');
});

test('a product that the buyer took out elsewhere is not said to be in the order', async () => {
  const {extension, lines} = checkout(answer());
  using _ = extension;
  await renderOffer(extension);
  fireEvent.click(button());
  await waitFor(() => expect(words()).toContain('status.added'));
  lines.value = [createCartLine()];
  await waitFor(() => expect(button().textContent).toBe('button.add'));
  expect(words()).not.toContain('status.added');
});

test.each([
  ['before', 'Conflict'],
  ['after', 'Conflict'],
  ['after', 'This item is out of stock.'], // Shopify may say so of another item
])('a product that comes into the order %s it was given up (%s) is not offered a second time', async (when, message) => {
  const {extension, lines} = checkout(answer());
  using _ = extension;
  let giveUp = () => undefined as void;
  const givenUp = new Promise<void>((done) => (giveUp = done)).then(() => ({type: 'error' as const, message}));
  extension.shopify.applyCartLinesChange = vi.fn(() => givenUp) as never;
  const publish = vi.spyOn(extension.shopify.analytics, 'publish');
  const come = () => (lines.value = [...lines.value, createCartLine({id: 'gid://shopify/CartLine/2', attributes: [{key: '_tillwise_offer', value: 'o1'}]})]);
  await renderOffer(extension);
  fireEvent.click(button());
  await waitFor(() => expect(extension.shopify.applyCartLinesChange).toHaveBeenCalled());
  if (when === 'before') come();
  giveUp();
  await waitFor(() => expect(publish.mock.calls).toHaveLength(2));
  if (when === 'after') come();
  await waitFor(() => expect(button().textContent).toBe('button.undo'));
  expect(words()).toContain('status.added');
});

test('a code that was taken off although that failed is not said to be applied', async () => {
  const {extension, discountCodes} = checkout(answer({offers: [TEN]}));
  using _ = extension;
  await applyTen(extension);
  extension.shopify.applyDiscountCodeChange = vi.fn(async () => {
    discountCodes.value = [];
    throw new Error('The host went away');
  });
  fireEvent.click(button());
  await waitFor(() => expect(button().textContent).toBe('button.apply'));
});

test('a change that was made although it failed is not made again', async () => {
  const {extension, lines} = checkout(answer());
  using _ = extension;
  extension.shopify.applyCartLinesChange = vi.fn(async () => {
    lines.value = [...lines.value, createCartLine({id: 'gid://shopify/CartLine/2', attributes: [{key: '_tillwise_offer', value: 'o1'}]})];
    throw new Error('The host went away');
  });
  await renderOffer(extension);
  fireEvent.click(button());
  await waitFor(() => expect(words()).toContain('status.added'));
  expect(extension.shopify.applyCartLinesChange).toHaveBeenCalledTimes(1);
});

test('a code of the buyer’s own is asked about anew, one that an offer brought is not', async () => {
  const {extension, discountCodes, fetch} = checkout(answer({offers: [TEN]}));
  using _ = extension;
  await applyTen(extension);
  expect(asked(fetch)).toEqual([[]]);
  discountCodes.value = [...discountCodes.value, {code: 'OWN'}];
  await waitFor(() => expect(asked(fetch)).toEqual([[], ['TEN', 'OWN']]));
  expect(words()).toContain('coupon.applied');
});

describe('a cart of subscriptions', () => {
  const bought = (recurringDeliveries?: boolean) => {
    const {merchandise} = createCartLine();
    const sellingPlan = recurringDeliveries === undefined ? undefined : {id: 'gid://shopify/SellingPlan/1', recurringDeliveries};
    return createCartLine({id: `gid://shopify/CartLine/${recurringDeliveries}`, merchandise: {...merchandise, sellingPlan}});
  };
  /** What the block says over a cart of these. */
  async function said(...cart: ReturnType<typeof bought>[]) {
    const {extension, lines, fetch} = checkout(answer({offers: [TEN, wireUpsell()]}));
    using _ = extension;
    lines.value = cart;
    await renderOffer(extension);
    const {cart: told} = JSON.parse(String(fetch.mock.calls[0]?.[1]?.body)) as {cart: {lines: {full_price?: true}[]}};
    expect(told.lines.map(({full_price}) => full_price)).toEqual(cart.map(({merchandise: {sellingPlan}}) => sellingPlan?.recurringDeliveries || undefined));
    return words();
  }

  test('is offered no code, which would be refused, and the app is told why', async () => {
    expect(await said(bought(true))).not.toContain('coupon.save_order');
  });

  test.each([
    {how: 'once, too', cart: [bought(true), bought()]},
    {how: 'ahead of its day', cart: [bought(false)]},
  ])('is offered one where something is bought $how', async ({cart}) => {
    expect(await said(...cart)).toContain('coupon.save_order');
  });
});

describe('a discount without a code, beside a code of the buyer’s', () => {
  const GRANTED = {offer_id: 'g1', kind: 'coupon', discount: {code: null, percentage: 10, grant: 'g'}, why: []};
  const off = {type: 'custom' as const, title: 'Tillwise', discountedAmount: {amount: 1, currencyCode: 'USD' as const}};

  /** Shopify says what came of the grant before it answers that the cart carries it. */
  async function granted(discount: object, allocations: (typeof off)[], ...codes: string[]) {
    const made = checkout(answer({offers: [{...GRANTED, discount: {...GRANTED.discount, ...discount}}, wireUpsell()]}), ...codes);
    made.extension.shopify.applyAttributeChange = vi.fn(async () => {
      made.lines.value = [createCartLine({discountAllocations: allocations})];
      return {type: 'success' as const};
    });
    await renderOffer(made.extension);
    return made;
  }

  test('is not promised where it does not stand beside it', async () => {
    const {extension} = await granted({}, [], 'OWN');
    using _ = extension;
    expect(words()).not.toContain('coupon.no_code');
  });

  test.each([
    ['it is taken off', {}, [off], ['OWN']],
    ['there is no other', {}, [], []],
    ['it is of shipping, of which a block is not told', {applies_to: 'shipping'}, [], ['OWN']],
  ])('is promised where %s', async (_, discount, allocations, codes) => {
    const {extension} = await granted(discount, allocations, ...codes);
    using __ = extension;
    expect(words()).toContain('coupon.no_code');
  });
});
