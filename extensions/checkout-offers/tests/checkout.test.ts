// @vitest-environment jsdom
/// <reference types="@shopify/ui-extensions/purchase.checkout.block.render" />
import {signal} from '@preact/signals';
import {setUpExtension} from '@shopify/ui-extensions-tester';
import {createCartLine} from '@shopify/ui-extensions-tester/checkout';
import {waitFor} from '@testing-library/preact';
import {expect, test, vi} from 'vitest';
import {productsOf} from '../src/question.ts';
import {TARGET, attribute, button, one, renderOffer, replying, words} from './block.ts';
import {answer, wireUpsell} from './offers.ts';
import {privacy} from './privacy.ts';

const milk = () =>
  createCartLine({
    quantity: 3,
    cost: {totalAmount: {amount: 9.99, currencyCode: 'USD'}},
    merchandise: {...createCartLine().merchandise, title: 'Milk'},
  });

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

test('a company, which has prices of its own, is told none of the shop’s', async () => {
  using extension = setUpExtension(TARGET);
  extension.fetch = replying(answer());
  const purchasingCompany = signal({company: {id: '1', name: 'Oat Ltd', externalId: undefined}});
  // The tester tells nothing of who buys, and takes no more than it tells.
  Object.defineProperty(extension.shopify, 'buyerIdentity', {configurable: true, value: {customer: signal(undefined), purchasingCompany}, writable: true});
  await renderOffer(extension);
  expect(words()).not.toContain('12.5');
  expect(button().textContent).toBe('button.add');
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
      lines: [{product_id: '1', variant_id: '1', quantity: 3, price: '3.33'}],
    },
    consent: {analytics: true, marketing: false, preferences: null, sale_of_data: false},
  });
});

test('a line of no product that the app could know is left out of the question, which it would refuse', async () => {
  using extension = setUpExtension(TARGET);
  const fetch = (extension.fetch = replying(answer()));
  const {merchandise} = createCartLine();
  const custom = createCartLine({merchandise: {...merchandise, product: {...merchandise.product, id: ''}}});
  extension.shopify.lines.value = [milk(), custom];
  await renderOffer(extension);
  expect(JSON.parse(String(fetch.mock.calls[0]?.[1]?.body)).cart.lines).toEqual([{product_id: '1', variant_id: '1', quantity: 3, price: '3.33'}]);
});

test('what a bundle holds is told with it, so that none of it is offered beside it', async () => {
  using extension = setUpExtension(TARGET);
  const fetch = (extension.fetch = replying(answer()));
  const {merchandise, cost} = createCartLine();
  const part = (id: number) => ({
    type: 'bundle' as const, id: `gid://shopify/CartLineComponent/${id}`, quantity: 1, cost, attributes: [],
    merchandise: {...merchandise, product: {...merchandise.product, id: `gid://shopify/Product/${id}`}},
  });
  const bundle = {...milk(), lineComponents: [part(8), part(9)]};
  extension.shopify.lines.value = [bundle];
  await renderOffer(extension);
  const [line] = JSON.parse(String(fetch.mock.calls[0]?.[1]?.body)).cart.lines;
  expect(line).toEqual({product_id: '1', variant_id: '1', quantity: 3, price: '3.33', parts: ['8', '9']});
  expect(productsOf(bundle)).toEqual([1, 8, 9].map((id) => `gid://shopify/Product/${id}`));
});

test('the largest cart of Shopify’s is a question that the app takes', async () => {
  using extension = setUpExtension(TARGET);
  const fetch = (extension.fetch = replying(answer()));
  const {merchandise} = createCartLine();
  extension.shopify.lines.value = Array.from({length: 500}, (_, at) =>
    createCartLine({
      cost: {totalAmount: {amount: 1234.5, currencyCode: 'USD'}},
      merchandise: {...merchandise, id: `gid://shopify/ProductVariant/${41234567890123 + at}`, product: {...merchandise.product, id: `gid://shopify/Product/${7234567890123 + at}`}},
    }),
  );
  await renderOffer(extension);
  const body = String(fetch.mock.calls[0]?.[1]?.body);
  expect(JSON.parse(body).cart.lines).toHaveLength(500);
  expect(body.length).toBeLessThan(64 * 1024);
});

test('a buyer whose address puts them in another market is asked for anew, in its currency', async () => {
  using extension = setUpExtension(TARGET);
  const fetch = (extension.fetch = replying(answer()));
  const subtotalAmount = signal({amount: 9.99, currencyCode: 'USD'});
  const country = signal({isoCode: 'US'});
  Object.assign(extension.shopify.cost, {subtotalAmount});
  Object.assign(extension.shopify.localization, {country});
  const asked = () => fetch.mock.calls.map(([, request]) => JSON.parse(String(request?.body))).map(({country, cart}) => [country, cart.currency]);
  await renderOffer(extension);
  subtotalAmount.value = {amount: 19.98, currencyCode: 'USD'};
  country.value = {isoCode: 'CA'};
  await waitFor(() => expect(asked()).toEqual([['US', 'USD'], ['CA', 'USD']]));
  subtotalAmount.value = {amount: 27.5, currencyCode: 'CAD'};
  await waitFor(() => expect(asked()).toEqual([['US', 'USD'], ['CA', 'USD'], ['CA', 'CAD']]));
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

test('in a language that has no sentences of ours a moment is told in theirs', async () => {
  using extension = setUpExtension(TARGET);
  Object.assign(extension.shopify.localization, {language: signal({isoCode: 'it'}), extensionLanguage: signal({isoCode: 'de'})});
  const translate = vi.spyOn(extension.shopify.i18n, 'translate');
  const expires_at = new Date(Date.now() + 20 * 60_000).toISOString();
  extension.fetch = replying(answer({offers: [{offer_id: 'c1', kind: 'coupon', discount: {code: 'TEN', percentage: 10, expires_at}, why: []}]}));
  await extension.render();
  await waitFor(() => expect(translate).toHaveBeenCalledWith('coupon.expires', {when: 'in 20 Minuten'}));
});

test('a banner says its message', async () => {
  using extension = setUpExtension(TARGET);
  extension.fetch = replying(answer({offers: [{offer_id: 'b1', kind: 'banner', message: {key: 'banner.help', args: {}}, why: []}]}));
  await extension.render();
  await waitFor(() => expect(words()).toContain('message.banner.help'));
});
