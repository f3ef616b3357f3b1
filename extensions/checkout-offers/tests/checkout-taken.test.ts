// @vitest-environment jsdom
/// <reference types="@shopify/ui-extensions/purchase.checkout.block.render" />
import {signal} from '@preact/signals';
import {setUpExtension} from '@shopify/ui-extensions-tester';
import {createCartLine, createResult} from '@shopify/ui-extensions-tester/checkout';
import {fireEvent, waitFor} from '@testing-library/preact';
import {afterEach, describe, expect, test, vi} from 'vitest';
import {DOUBLE_CLICK_MS, SOLD_OUT_MS} from '../src/useOffers.ts';
import {TARGET, attribute, button, one, renderOffer, replying, words} from './block.ts';
import {answer, wireUpsell} from './offers.ts';

afterEach(() => void vi.useRealTimers());

test('adding shows a busy button, then that it was added, and can be undone', async () => {
  using extension = setUpExtension(TARGET);
  extension.fetch = replying(answer());
  let finish = () => undefined as void;
  extension.shopify.applyCartLinesChange = vi.fn(
    () => new Promise<{type: 'success'}>((resolve) => (finish = () => resolve({type: 'success'}))),
  );
  await renderOffer(extension);
  fireEvent.click(button());
  fireEvent.click(button());
  await waitFor(() => expect(attribute('s-button', 'loading')).toBe('true'));
  finish();
  await waitFor(() => expect(one('s-text[tone=success]')?.textContent).toBe('status.added'));
  expect(button().textContent).toBe('button.undo');
  expect(extension.shopify.applyCartLinesChange).toHaveBeenCalledTimes(1);
  fireEvent.click(button());
  await waitFor(() => expect(button().textContent).toBe('button.add'));
});

test('what could not be taken out again says so, and can be tried again', async () => {
  using extension = setUpExtension(TARGET);
  extension.fetch = replying(answer());
  const lines = signal([createCartLine()]);
  Object.assign(extension.shopify, {lines});
  let refuses = true;
  extension.shopify.applyCartLinesChange = vi.fn(async ({type}: {type: string}) => {
    if (type === 'removeCartLine' && refuses) return {type: 'error' as const, message: 'Could not apply line item changes'};
    const ours = createCartLine({id: 'gid://shopify/CartLine/2', attributes: [{key: '_tillwise_offer', value: 'o1'}]});
    lines.value = type === 'addCartLine' ? [...lines.value, ours] : lines.value.slice(0, 1);
    return {type: 'success' as const};
  }) as never;
  await renderOffer(extension);
  fireEvent.click(button());
  await waitFor(() => expect(words()).toContain('status.added'));
  fireEvent.click(button());
  await waitFor(() => expect(one('s-text[tone=critical]')?.textContent).toBe('status.stuck'));
  expect(button().textContent).toBe('button.undo');
  refuses = false;
  fireEvent.click(button());
  await waitFor(() => expect(button().textContent).toBe('button.add'));
  expect(words()).not.toContain('status.stuck');
});

test('the second half of a double click refuses nothing that has only just come', async () => {
  vi.useFakeTimers({toFake: ['Date']});
  using extension = setUpExtension(TARGET);
  const tea = wireUpsell({offer_id: 'o2', product: {...wireUpsell().product, product_id: '8', variant_id: '80', title: 'Tea'}});
  extension.fetch = replying(answer({offers: [wireUpsell(), tea]}));
  await renderOffer(extension);
  const refuse = () => fireEvent.click(one('s-link') as HTMLElement);
  refuse();
  await waitFor(() => expect(words()).toContain('Tea'));
  refuse();
  expect(words()).toContain('Tea');
  vi.setSystemTime(Date.now() + DOUBLE_CLICK_MS);
  refuse();
  await waitFor(() => expect(words()).not.toContain('Tea'));
});

test('a failure says so and can be tried again', async () => {
  using extension = setUpExtension(TARGET);
  extension.fetch = replying(answer());
  extension.shopify.applyCartLinesChange = vi.fn(async () => createResult('applyCartLinesChange', {type: 'error', message: 'Conflict'}));
  await renderOffer(extension);
  fireEvent.click(button());
  await waitFor(() => expect(words()).toContain('status.failed'));
  expect(button().textContent).toBe('button.retry');
  extension.shopify.applyCartLinesChange = vi.fn(async () => createResult('applyCartLinesChange'));
  fireEvent.click(button());
  await waitFor(() => expect(words()).toContain('status.added'));
});

test('what sold out meanwhile says so and cannot be tried again', async () => {
  using extension = setUpExtension(TARGET);
  extension.fetch = replying(answer());
  extension.shopify.applyCartLinesChange = vi.fn(async () => createResult('applyCartLinesChange', {type: 'error', message: 'Out of stock'}));
  await renderOffer(extension);
  fireEvent.click(button());
  await waitFor(() => expect(words()).toContain('status.sold_out'));
  expect(attribute('s-button', 'disabled')).toBe('true');
});

describe('what sold out, once that could be read,', () => {
  const product = (title: string, at: number) => wireUpsell({offer_id: title, product: {...wireUpsell().product, variant_id: 70 + at, title}});

  /** Have the first of these offers turn out to be sold out, and let it have its time. */
  async function soldOut(...titles: string[]) {
    vi.useFakeTimers({shouldAdvanceTime: true});
    using extension = setUpExtension(TARGET);
    extension.fetch = replying(answer({offers: titles.map(product)}));
    extension.shopify.applyCartLinesChange = vi.fn(async () => createResult('applyCartLinesChange', {type: 'error', message: 'Out of stock'}));
    await renderOffer(extension);
    fireEvent.click(button());
    await waitFor(() => expect(words()).toContain('status.sold_out'));
    await vi.advanceTimersByTimeAsync(SOLD_OUT_MS);
    return words();
  }

  test('makes way for the next offer', async () => {
    const said = await soldOut('Oat biscuits', 'Rye crisps');
    expect(said).toContain('Rye crisps');
    expect(said).not.toContain('Oat biscuits');
  });

  test('stays where there is no other', async () => {
    expect(await soldOut('Oat biscuits')).toContain('status.sold_out');
  });
});

test('an impression and an acceptance are each published once', async () => {
  using extension = setUpExtension(TARGET);
  extension.fetch = replying(answer());
  extension.shopify.checkoutToken.value = 'token-1';
  const publish = vi.spyOn(extension.shopify.analytics, 'publish');
  await renderOffer(extension);
  fireEvent.click(button());
  await waitFor(() => expect(words()).toContain('status.added'));
  const facts = {
    decision_id: 'd1',
    offer_id: 'o1',
    product_id: 'gid://shopify/Product/7',
    variant_id: 'gid://shopify/ProductVariant/70',
    surface: 'checkout',
    checkout_token: 'token-1',
  };
  await waitFor(() => expect(publish.mock.calls).toEqual([['tillwise:offer_shown', facts], ['tillwise:offer_accepted', facts]]));
});

test('an offer on a step that the buyer has not reached is not an impression', async () => {
  using extension = setUpExtension(TARGET);
  extension.fetch = replying(answer());
  extension.shopify.extension.rendered.value = false;
  const publish = vi.spyOn(extension.shopify.analytics, 'publish');
  await renderOffer(extension);
  expect(publish).not.toHaveBeenCalled();
});

test('a pixel that refuses does not stop the sale', async () => {
  using extension = setUpExtension(TARGET);
  extension.fetch = replying(answer());
  extension.shopify.analytics.publish = vi.fn(async () => Promise.reject(new Error('blocked')));
  await renderOffer(extension);
  fireEvent.click(button());
  await waitFor(() => expect(words()).toContain('status.added'));
});

const GRANTED = {offer_id: 'g1', kind: 'coupon', discount: {code: null, percentage: 10, grant: '1.t.2026112507.c7.n.s'}, why: []};

test('a discount without a code is shown once the cart carries its grant', async () => {
  using extension = setUpExtension(TARGET);
  const changed = vi.fn(async () => ({type: 'success' as const}));
  extension.shopify.applyAttributeChange = changed as never;
  extension.fetch = replying(answer({offers: [GRANTED]}));
  await extension.render();
  await waitFor(() => expect(words()).toContain('coupon.no_code'));
  expect(changed.mock.calls).toEqual([[{type: 'updateAttribute', key: '_tillwise_grant', value: GRANTED.discount.grant}]]);
});

test('a cart that has the grant already, from the storefront or before a reload, is not changed for it', async () => {
  using extension = setUpExtension(TARGET);
  const changed = vi.fn(async () => ({type: 'success' as const}));
  extension.shopify.applyAttributeChange = changed as never;
  extension.shopify.instructions.value.attributes.canUpdateAttributes = false;
  extension.shopify.attributes.value = [{key: '_tillwise_grant', value: GRANTED.discount.grant}];
  extension.fetch = replying(answer({offers: [GRANTED]}));
  await extension.render();
  await waitFor(() => expect(words()).toContain('coupon.no_code'));
  expect(changed).not.toHaveBeenCalled();
});

test('a cart carries one grant, so that a second discount without a code is not promised', async () => {
  using extension = setUpExtension(TARGET);
  const changed = vi.fn(async () => ({type: 'success' as const}));
  extension.shopify.applyAttributeChange = changed as never;
  const second = {...GRANTED, offer_id: 'g2', discount: {...GRANTED.discount, percentage: 20, grant: 'other'}};
  extension.fetch = replying(answer({offers: [GRANTED, second]}));
  await extension.render();
  await waitFor(() => expect(words()).toContain('coupon.no_code'));
  expect(words().match(/coupon\.no_code/g)).toHaveLength(1);
  expect(changed).toHaveBeenCalledTimes(1);
});

test('a discount without a code is not promised where the cart can carry no grant', async () => {
  using extension = setUpExtension(TARGET);
  extension.shopify.instructions.value.attributes.canUpdateAttributes = false;
  const changed = vi.fn();
  extension.shopify.applyAttributeChange = changed as never;
  extension.fetch = replying(answer({offers: [GRANTED, wireUpsell()]}));
  await renderOffer(extension);
  expect(words()).not.toContain('coupon.no_code');
  expect(changed).not.toHaveBeenCalled();
});

test('a coupon is applied, and can be taken off again', async () => {
  using extension = setUpExtension(TARGET);
  const offers = [{offer_id: 'c1', kind: 'coupon', discount: {code: 'TEN', percentage: 10}, why: []}];
  extension.fetch = replying(answer({offers}));
  const apply = vi.spyOn(extension.shopify, 'applyDiscountCodeChange');
  await extension.render();
  await waitFor(() => expect(words()).toContain('coupon.save_order'));
  fireEvent.click(button());
  await waitFor(() => expect(words()).toContain('coupon.applied'));
  expect(apply).toHaveBeenCalledWith({type: 'addDiscountCode', code: 'TEN'});
  fireEvent.click(button());
  await waitFor(() => expect(apply).toHaveBeenLastCalledWith({type: 'removeDiscountCode', code: 'TEN'}));
  await waitFor(() => expect(button().textContent).toBe('button.apply'));
});
