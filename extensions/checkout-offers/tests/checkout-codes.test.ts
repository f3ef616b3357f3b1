// @vitest-environment jsdom
/// <reference types="@shopify/ui-extensions/purchase.checkout.block.render" />
import {signal} from '@preact/signals';
import {setUpExtension} from '@shopify/ui-extensions-tester';
import {createCartLine} from '@shopify/ui-extensions-tester/checkout';
import {fireEvent, waitFor} from '@testing-library/preact';
import {expect, test, vi} from 'vitest';
import {TARGET, button, renderOffer, replying, words} from './block.ts';
import {answer} from './offers.ts';

const TEN = {offer_id: 'c1', kind: 'coupon', discount: {code: 'TEN', percentage: 10}, why: []};
const asked = (fetch: ReturnType<typeof replying>) => fetch.mock.calls.map(([, request]) => JSON.parse(String(request?.body)).cart.codes);

/** A checkout with these codes, whose till takes and gives back codes and lines as Shopify's does. */
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

test('a code that the checkout has already can be taken off', async () => {
  const {extension, apply} = checkout(answer({offers: [TEN]}), 'TEN');
  using _ = extension;
  await extension.render();
  await waitFor(() => expect(words()).toContain('coupon.applied'));
  fireEvent.click(button());
  await waitFor(() => expect(apply.mock.calls).toEqual([[{type: 'removeDiscountCode', code: 'TEN'}]]));
  await waitFor(() => expect(button().textContent).toBe('button.apply'));
});

test('a code that the buyer took off elsewhere is not said to be applied', async () => {
  const {extension, discountCodes} = checkout(answer({offers: [TEN]}));
  using _ = extension;
  await extension.render();
  await waitFor(() => expect(words()).toContain('coupon.save_order'));
  fireEvent.click(button());
  await waitFor(() => expect(words()).toContain('coupon.applied'));
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

test.each(['before', 'after'])('a product that comes into the order %s it was given up is not offered a second time', async (when) => {
  const {extension, lines} = checkout(answer());
  using _ = extension;
  let giveUp = () => undefined as void;
  const givenUp = new Promise<void>((done) => (giveUp = done)).then(() => ({type: 'error' as const, message: 'Conflict'}));
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
  await extension.render();
  await waitFor(() => expect(words()).toContain('coupon.save_order'));
  fireEvent.click(button());
  await waitFor(() => expect(words()).toContain('coupon.applied'));
  expect(asked(fetch)).toEqual([[]]);
  discountCodes.value = [...discountCodes.value, {code: 'OWN'}];
  await waitFor(() => expect(asked(fetch)).toEqual([[], ['TEN', 'OWN']]));
  expect(words()).toContain('coupon.applied');
});
