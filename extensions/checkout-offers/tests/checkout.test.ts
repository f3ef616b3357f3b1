// @vitest-environment jsdom
/// <reference types="@shopify/ui-extensions/purchase.checkout.block.render" />
import {signal} from '@preact/signals';
import {setUpExtension} from '@shopify/ui-extensions-tester';
import {createCartLine, createResult} from '@shopify/ui-extensions-tester/checkout';
import {fireEvent, waitFor} from '@testing-library/preact';
import {describe, expect, test, vi} from 'vitest';
import {answer, wireUpsell} from './offers.ts';
import {answered, live, privacy} from './privacy.ts';

const TARGET = 'purchase.checkout.block.render';
const replying = (body: unknown, status = 200) => vi.fn<typeof fetch>(async () => Response.json(body, {status}));
const one = (selector: string) => document.body.querySelector(selector);
const words = () => document.body.textContent ?? '';
const button = () => one('s-button') as HTMLElement;
const attribute = (selector: string, name: string) => one(selector)?.getAttribute(name);
const milk = () =>
  createCartLine({
    quantity: 3,
    cost: {totalAmount: {amount: 9.99, currencyCode: 'USD'}},
    merchandise: {...createCartLine().merchandise, title: 'Milk'},
  });

async function renderOffer(extension: ReturnType<typeof setUpExtension<typeof TARGET>>) {
  await extension.render();
  await waitFor(() => expect(words()).toContain('Oat biscuits'));
}

test('a skeleton of the offer’s shape stands in while the app is asked', async () => {
  using extension = setUpExtension(TARGET);
  extension.fetch = () => new Promise(() => undefined);
  await extension.render();
  expect(one('s-heading')?.textContent).toBe('heading.checkout');
  expect(document.querySelectorAll('s-skeleton-paragraph')).toHaveLength(3);
  expect(one('s-grid > s-product-thumbnail')).not.toBeNull();
  expect(attribute('s-grid > s-button', 'disabled')).toBe('true');
});

test('an offer shows image, title, price, reason and one primary button', async () => {
  using extension = setUpExtension(TARGET);
  extension.fetch = replying(answer());
  extension.shopify.lines.value = [milk()];
  await renderOffer(extension);
  expect(attribute('s-product-thumbnail', 'src')).toBe('https://cdn.example.test/oat.png');
  expect(attribute('s-product-thumbnail', 'alt')).toBe('Oat biscuits');
  expect(words()).toContain('12.5');
  expect(words()).toContain('reason.bought_together_with');
  expect(button().textContent).toBe('button.add');
  expect(button().getAttribute('variant')).toBe('primary');
  expect(one('s-skeleton-paragraph')).toBeNull();
});

test('the app is told the cart and the consent, and no more', async () => {
  using extension = setUpExtension(TARGET);
  const fetch = (extension.fetch = replying(answer()));
  extension.shopify.lines.value = [milk()];
  extension.shopify.checkoutToken.value = 'token-1';
  extension.shopify.cost.subtotalAmount.value = {amount: 9.99, currencyCode: 'USD'};
  extension.shopify.customerPrivacy.value = privacy({
    allowedProcessing: {analytics: true, marketing: true, preferences: true, saleOfData: false},
    visitorConsent: {analytics: true, marketing: false},
    region: {countryCode: 'US', provinceCode: 'CA'},
  });
  await renderOffer(extension);
  expect(JSON.parse(String(fetch.mock.calls[0]?.[1]?.body))).toEqual({
    surface: 'checkout',
    checkout_token: 'token-1',
    locale: 'en',
    country: 'US',
    region: {country: 'US', province: 'CA'},
    cart: {
      codes: [],
      currency: 'USD',
      subtotal: '9.99',
      lines: [{product_id: 'gid://shopify/Product/1', variant_id: 'gid://shopify/ProductVariant/1', quantity: 3, price: '3.33'}],
    },
    consent: {analytics: true, marketing: false, preferences: null, sale_of_data: false},
  });
});

describe('when the visitor’s privacy changes in the middle of a checkout', () => {
  const cards = () => Array.from(document.querySelectorAll('s-text[type=strong]'), (each) => each.textContent);
  const titled = (offer_id: string, title: string) => answer({offers: [wireUpsell({offer_id, product: {...wireUpsell().product, variant_id: offer_id.length, title}})]});

  test('the next question carries it', async () => {
    using extension = setUpExtension(TARGET);
    const fetch = (extension.fetch = replying(answer()));
    const customerPrivacy = live(extension.shopify, answered(true));
    await renderOffer(extension);
    customerPrivacy.value = {...answered(false), region: {countryCode: 'DE'}};
    await waitFor(() => expect(fetch).toHaveBeenCalledTimes(2));
    const [first, second] = fetch.mock.calls.map(([, request]) => JSON.parse(String(request?.body)));
    expect(first.consent).toEqual({analytics: true, marketing: true, preferences: true, sale_of_data: true});
    expect(second.consent).toEqual({analytics: false, marketing: false, preferences: false, sale_of_data: false});
    expect([first.region, second.region]).toEqual([undefined, {country: 'DE'}]);
  });

  test('a region that changes alone is worth a question too', async () => {
    using extension = setUpExtension(TARGET);
    const fetch = (extension.fetch = replying(answer()));
    const customerPrivacy = live(extension.shopify, answered(true));
    await renderOffer(extension);
    customerPrivacy.value = {...answered(true), region: {countryCode: 'DE'}};
    await waitFor(() => expect(fetch).toHaveBeenCalledTimes(2));
    expect(words()).toContain('Oat biscuits');
  });

  test('what was offered under a wider consent gives way at once, then to the new answer', async () => {
    using extension = setUpExtension(TARGET);
    let reply = (_: Response) => undefined as void;
    extension.fetch = replying(titled('p', 'Your usual'));
    const customerPrivacy = live(extension.shopify, answered(true));
    await extension.render();
    await waitFor(() => expect(cards()).toEqual(['Your usual']));
    extension.fetch = () => new Promise((resolve) => (reply = resolve));
    customerPrivacy.value = answered(false);
    await waitFor(() => expect(cards()).toEqual([]));
    expect(one('s-skeleton-paragraph')).not.toBeNull();
    reply(Response.json(titled('c', 'Goes with milk')));
    await waitFor(() => expect(cards()).toEqual(['Goes with milk']));
  });

  test('with no new answer nothing personal is left', async () => {
    using extension = setUpExtension(TARGET);
    extension.fetch = replying(answer());
    const customerPrivacy = live(extension.shopify, answered(true));
    await renderOffer(extension);
    extension.fetch = replying({}, 503);
    customerPrivacy.value = answered(false);
    await waitFor(() => expect(document.body.innerHTML).toBe(''));
  });

  test('what the buyer took stays, and can be undone', async () => {
    using extension = setUpExtension(TARGET);
    extension.fetch = replying(answer());
    const customerPrivacy = live(extension.shopify, answered(true));
    await renderOffer(extension);
    fireEvent.click(button());
    await waitFor(() => expect(words()).toContain('status.added'));
    const fetch = (extension.fetch = replying(answer({offers: []})));
    customerPrivacy.value = answered(false);
    await waitFor(() => expect(fetch).toHaveBeenCalled());
    expect(button().textContent).toBe('button.undo');
  });
});

test('what the merchant set is honoured', async () => {
  using extension = setUpExtension(TARGET);
  extension.shopify.settings.value = {heading: 'Pssst', max_offers: 2, show_reason: false};
  const offers = ['o1', 'o2', 'o3'].map((offer_id) => wireUpsell({offer_id}));
  extension.fetch = replying(answer({offers}));
  await renderOffer(extension);
  expect(one('s-heading')?.textContent).toBe('Pssst');
  expect(document.querySelectorAll('s-button')).toHaveLength(2);
  expect(words()).not.toContain('reason.');
});

test.each([
  ['an error', {}, 500],
  ['a refusal', answer(), 401],
  ['no offers', answer({offers: []}), 200],
  ['an offer of an unknown kind', answer({offers: [wireUpsell({kind: 'hologram'})]}), 200],
])('%s renders nothing', async (_, body, status) => {
  using extension = setUpExtension(TARGET);
  const fetch = (extension.fetch = replying(body, status));
  await extension.render();
  await waitFor(() => expect(fetch).toHaveBeenCalled());
  await waitFor(() => expect(document.body.innerHTML).toBe(''));
});

test('where nothing may be added, nothing is shown', async () => {
  using extension = setUpExtension(TARGET);
  extension.shopify.instructions.value.lines.canAddCartLine = false;
  const fetch = (extension.fetch = replying(answer()));
  await extension.render();
  await waitFor(() => expect(fetch).toHaveBeenCalled());
  expect(document.body.innerHTML).toBe('');
});

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

describe('while the buyer stays', () => {
  const HELP = {offer_id: 'b1', kind: 'banner', message: {key: 'banner.help', args: {}}, why: []};
  const two = ['Oat biscuits', 'Rye crisps'].map((title, at) => wireUpsell({offer_id: title, product: {...wireUpsell().product, variant_id: 70 + at, title}}));
  const asks = (fetch: ReturnType<typeof replying>) => fetch.mock.calls.map(([, request]) => JSON.parse(String(request?.body)));
  /** The first answer, which says to ask again at once, then the others. */
  const answering = (...others: unknown[]) => {
    const bodies = [answer({offers: two, again_s: 0.01}), ...others];
    return vi.fn<typeof fetch>(async () => Response.json(bodies.shift() ?? answer({offers: []})));
  };

  test('a message joins, in the place of the last product', async () => {
    using extension = setUpExtension(TARGET);
    extension.shopify.settings.value = {max_offers: 2};
    const publish = vi.spyOn(extension.shopify.analytics, 'publish');
    const fetch = (extension.fetch = answering(answer({decision_id: 'd2', offers: [HELP]})));
    await renderOffer(extension);
    expect(words()).toContain('Rye crisps');
    await waitFor(() => expect(words()).toContain('message.banner.help'));
    expect(words()).toContain('Oat biscuits');
    expect(words()).not.toContain('Rye crisps');
    const [first, second] = asks(fetch);
    expect([first.wants, first.signals, second.wants]).toEqual([undefined, undefined, 'message']);
    expect(second.signals.dwell_ms).toBeGreaterThan(0);
    await waitFor(() => expect(publish.mock.calls.map(([, data]) => (data as {offer_id: string}).offer_id)).toContain('b1'));
  });

  test('what the buyer took stays in its place', async () => {
    using extension = setUpExtension(TARGET);
    let reply = (_: Response) => undefined as void;
    const bodies = [Promise.resolve(Response.json(answer({again_s: 0.01}))), new Promise<Response>((done) => (reply = done))];
    const fetch = (extension.fetch = vi.fn(() => bodies.shift()!));
    await renderOffer(extension);
    fireEvent.click(button());
    await waitFor(() => expect(words()).toContain('status.added'));
    await waitFor(() => expect(fetch).toHaveBeenCalledTimes(2));
    reply(Response.json(answer({decision_id: 'd2', offers: [HELP]})));
    await waitFor(() => expect(words()).toContain('message.banner.help'));
    expect(words()).toContain('status.added');
  });

  test('a message that was sent away gives the product its place back', async () => {
    using extension = setUpExtension(TARGET);
    extension.shopify.settings.value = {max_offers: 2};
    extension.fetch = answering(answer({decision_id: 'd2', offers: [HELP]}));
    await renderOffer(extension);
    await waitFor(() => expect(words()).toContain('message.banner.help'));
    fireEvent.click(Array.from(document.querySelectorAll('s-link, s-button')).filter((each) => each.textContent === 'button.dismiss').pop()!);
    await waitFor(() => expect(words()).toContain('Rye crisps'));
    expect(words()).not.toContain('message.banner.help');
  });

  test('a cart that changes meanwhile asks by itself, and nothing old joins', async () => {
    using extension = setUpExtension(TARGET);
    const fetch = (extension.fetch = replying(answer({offers: two, again_s: 3600})));
    const customerPrivacy = live(extension.shopify, answered(true));
    await renderOffer(extension);
    customerPrivacy.value = {...answered(true), region: {countryCode: 'DE'}};
    await waitFor(() => expect(fetch).toHaveBeenCalledTimes(2));
    expect(asks(fetch).map(({signals, wants}) => [signals, wants])).toEqual([[undefined, undefined], [undefined, undefined]]);
  });

  test('time runs from when the buyer sees the step', async () => {
    using extension = setUpExtension(TARGET);
    const rendered = signal(false);
    Object.assign(extension.shopify.extension, {rendered});
    const fetch = (extension.fetch = answering(answer({decision_id: 'd2', offers: [HELP]})));
    await renderOffer(extension);
    await new Promise((done) => setTimeout(done, 50));
    expect(fetch).toHaveBeenCalledTimes(1);
    rendered.value = true;
    await waitFor(() => expect(words()).toContain('message.banner.help'));
  });

  test('where the merchant shows no messages none is asked for', async () => {
    using extension = setUpExtension(TARGET);
    extension.shopify.settings.value = {show_messages: false};
    const fetch = (extension.fetch = replying(answer()));
    await renderOffer(extension);
    expect(asks(fetch).map(({wants}) => wants)).toEqual(['products']);
  });

  test('once the buyer allows less, nobody is told how long they stay', async () => {
    using extension = setUpExtension(TARGET);
    const fetch = (extension.fetch = answering(answer({offers: []})));
    const customerPrivacy = live(extension.shopify, answered(true));
    await renderOffer(extension);
    await waitFor(() => expect(fetch).toHaveBeenCalledTimes(2));
    customerPrivacy.value = answered(false);
    await waitFor(() => expect(fetch).toHaveBeenCalledTimes(3));
    expect(asks(fetch).map(({signals}) => signals !== undefined)).toEqual([false, true, false]);
  });
});

test('a banner says its message', async () => {
  using extension = setUpExtension(TARGET);
  extension.fetch = replying(answer({offers: [{offer_id: 'b1', kind: 'banner', message: {key: 'banner.help', args: {}}, why: []}]}));
  await extension.render();
  await waitFor(() => expect(words()).toContain('message.banner.help'));
});
