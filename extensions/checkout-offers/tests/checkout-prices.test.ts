// @vitest-environment jsdom
/// <reference types="@shopify/ui-extensions/purchase.checkout.block.render" />
import {signal} from '@preact/signals';
import {setUpExtension} from '@shopify/ui-extensions-tester';
import {createCartLine} from '@shopify/ui-extensions-tester/checkout';
import {fireEvent, waitFor} from '@testing-library/preact';
import {afterEach, expect, test, vi} from 'vitest';
import {PRICES_FIRST_MS} from '../src/usePrices.ts';
import {button, one, renderOffer, replying, TARGET, words} from './block.ts';
import {answer, wireUpsell} from './offers.ts';
import {answered} from './privacy.ts';

const gid = (number: string) => `gid://shopify/ProductVariant/${number}`;
const OATS = gid('70');
const TEA = {...wireUpsell().product, product_id: '6', variant_id: '60', title: 'Tea', price: '3.00'};
const both = answer({offers: [wireUpsell(), wireUpsell({offer_id: 'o2', product: TEA})]});

type Sold = Record<string, string | null>;

/** Shopify's Storefront API: what each country pays for what, null for what it does not sell; the cart's own line is sold everywhere. */
function storefront(markets: Record<string, {currency: string; sold: Sold}>) {
  return vi.fn(async (_query: string, options?: {variables?: Record<string, unknown>}) => {
    const {ids, country} = options?.variables as {ids: string[]; country: string};
    const market = markets[country];
    const nodes = ids.map((id) => {
      const amount = market?.sold[id] === undefined ? '1.0' : market.sold[id];
      return amount === null ? null : {id, availableForSale: true, price: {amount, currencyCode: market?.currency ?? 'USD'}};
    });
    return {data: {nodes}, errors: []};
  });
}

type Extension = ReturnType<typeof setUpExtension<typeof TARGET>>;

/** Put the checkout into a market. */
function shopIn(extension: Extension, isoCode: string, currencyCode: string) {
  const country = signal({isoCode});
  const subtotalAmount = signal({amount: 10, currencyCode});
  Object.assign(extension.shopify.localization, {country});
  Object.assign(extension.shopify.cost, {subtotalAmount});
  return (next: string, currency: string) => {
    subtotalAmount.value = {amount: 12, currencyCode: currency};
    country.value = {isoCode: next};
  };
}

const asks = (extension: Extension, query: unknown) => Object.assign(extension.shopify, {query});
const asked = (query: {mock: {calls: unknown[][]}}) => query.mock.calls.map(([, options]) => (options as {variables: {ids: string[]; country: string}}).variables);

afterEach(() => void vi.useRealTimers());

test('in another currency the offer comes with its price there, asked once with a line of the cart', async () => {
  using extension = setUpExtension(TARGET);
  shopIn(extension, 'CA', 'CAD');
  const query = storefront({CA: {currency: 'CAD', sold: {[OATS]: '17.1'}}});
  asks(extension, query);
  extension.shopify.lines.value = [createCartLine()];
  extension.fetch = replying(answer());
  await renderOffer(extension);
  expect(words()).toContain('17.1');
  expect(words()).not.toContain('12.5');
  expect(asked(query)).toEqual([{ids: [OATS, createCartLine().merchandise.id], country: 'CA'}]);
});

test('in a market of the same currency the price is the market’s, not the shop’s', async () => {
  using extension = setUpExtension(TARGET);
  shopIn(extension, 'EC', 'USD');
  asks(extension, storefront({EC: {currency: 'USD', sold: {[OATS]: '13.75'}}}));
  extension.fetch = replying(answer());
  await renderOffer(extension);
  expect(words()).toContain('13.75');
  expect(words()).not.toContain('12.5');
});

test('a price in another currency than the buyer’s is never shown', async () => {
  using extension = setUpExtension(TARGET);
  shopIn(extension, 'CH', 'CHF');
  asks(extension, storefront({CH: {currency: 'EUR', sold: {[OATS]: '11.2'}}}));
  extension.fetch = replying(answer());
  await renderOffer(extension);
  expect(words()).not.toMatch(/11\.2|12\.5/);
  expect(button().textContent).toBe('button.add');
});

test.each([
  ['refuses', async () => ({errors: [{message: 'Access denied'}]})],
  ['fails', async () => Promise.reject(new Error('offline'))],
])('where the Storefront API %s, the shop’s price is shown in its own currency', async (_, query) => {
  using extension = setUpExtension(TARGET);
  asks(extension, query);
  extension.fetch = replying(answer());
  await renderOffer(extension);
  expect(words()).toContain('12.5');
});

test('an offer waits for a slow price no longer than it may, and its price comes into the line that was kept', async () => {
  vi.useFakeTimers();
  using extension = setUpExtension(TARGET);
  shopIn(extension, 'CA', 'CAD');
  const prompt = storefront({CA: {currency: 'CAD', sold: {[OATS]: '17.1'}}});
  asks(extension, vi.fn(async (...given: Parameters<typeof prompt>) => {
    await new Promise((done) => setTimeout(done, PRICES_FIRST_MS + 200));
    return prompt(...given);
  }));
  extension.fetch = replying(answer());
  await extension.render();
  await vi.advanceTimersByTimeAsync(PRICES_FIRST_MS - 10);
  expect(one('s-skeleton-paragraph')).not.toBeNull();
  await vi.advanceTimersByTimeAsync(50);
  expect(words()).toContain('Oat biscuits');
  expect(words()).not.toContain('17.1');
  expect(one('s-box[minBlockSize="21px"]')).not.toBeNull();
  await vi.advanceTimersByTimeAsync(200);
  expect(words()).toContain('17.1');
});

test('what the market does not sell is not offered; the next is', async () => {
  using extension = setUpExtension(TARGET);
  asks(extension, storefront({US: {currency: 'USD', sold: {[OATS]: null}}}));
  extension.fetch = replying(both);
  await extension.render();
  await waitFor(() => expect(words()).toContain('Tea'));
  expect(words()).not.toContain('Oat biscuits');
});

test('a market that sells none of it shows nothing', async () => {
  using extension = setUpExtension(TARGET);
  const query = storefront({US: {currency: 'USD', sold: {[OATS]: null}}});
  asks(extension, query);
  extension.shopify.lines.value = [createCartLine()];
  extension.fetch = replying(answer());
  await extension.render();
  await waitFor(() => expect(query).toHaveBeenCalled());
  await waitFor(() => expect(document.body.innerHTML).toBe(''));
});

test('what was painted ahead and is not sold stays in its place, to be pressed no more, and is counted nowhere', async () => {
  using extension = setUpExtension(TARGET);
  const value = JSON.stringify({v: 1, currency: 'USD', salt: 'mock', arms: [['personalised', 1]], offers: [{p: 7, v: 70, t: 'Oat biscuits', c: '12.50'}]});
  extension.shopify.appMetafields.value = [
    {target: {type: 'shop', id: '1'}, metafield: {namespace: '$app', key: 'offers', type: 'json', value, valueType: 'json_string'}},
  ];
  extension.shopify.checkoutToken.value = 'token-1';
  extension.shopify.customerPrivacy.value = answered(false);
  extension.shopify.lines.value = [createCartLine()];
  asks(extension, storefront({US: {currency: 'USD', sold: {[OATS]: null}}}));
  extension.fetch = () => new Promise(() => undefined);
  const publish = vi.spyOn(extension.shopify.analytics, 'publish');
  const change = vi.spyOn(extension.shopify, 'applyCartLinesChange');
  await extension.render();
  await waitFor(() => expect(words()).toContain('status.unavailable'));
  expect(words()).toContain('Oat biscuits');
  expect(button().getAttribute('disabled')).toBe('true');
  fireEvent.click(button());
  expect(change).not.toHaveBeenCalled();
  expect(publish).not.toHaveBeenCalled();
});

test('in another market the prices are asked for anew, and known ones are not', async () => {
  using extension = setUpExtension(TARGET);
  const move = shopIn(extension, 'US', 'USD');
  const query = storefront({US: {currency: 'USD', sold: {[OATS]: '12.5'}}, CA: {currency: 'CAD', sold: {[OATS]: '17.1'}}});
  asks(extension, query);
  extension.fetch = replying(answer());
  await renderOffer(extension);
  move('CA', 'CAD');
  await waitFor(() => expect(words()).toContain('17.1'));
  move('US', 'USD');
  await waitFor(() => expect(words()).toContain('12.5'));
  expect(asked(query).map(({country}) => country)).toEqual(['US', 'CA']);
});

test('for a company nothing is asked: its prices need a token of its buyer’s', async () => {
  using extension = setUpExtension(TARGET);
  const query = storefront({US: {currency: 'USD', sold: {[OATS]: '12.5'}}});
  asks(extension, query);
  const purchasingCompany = signal({company: {id: '1', name: 'Oat Ltd', externalId: undefined}});
  Object.defineProperty(extension.shopify, 'buyerIdentity', {configurable: true, value: {customer: signal(undefined), purchasingCompany}, writable: true});
  const app = replying(answer());
  extension.fetch = app;
  await renderOffer(extension);
  expect(words()).not.toContain('12.5');
  expect(query).not.toHaveBeenCalled();
  expect(JSON.parse(String(app.mock.calls[0]![1]!.body))).toMatchObject({company: true});
});

test('after the order a product that is not sold is no link', async () => {
  using extension = setUpExtension('purchase.thank-you.block.render');
  Object.assign(extension.shopify, {query: storefront({US: {currency: 'USD', sold: {[OATS]: '13.75', [gid('60')]: null}}})});
  extension.fetch = replying(both);
  await extension.render();
  await waitFor(() => expect(words()).toContain('13.75'));
  fireEvent.click(document.querySelector('s-link') as HTMLElement);
  await waitFor(() => expect(document.body.innerHTML).toBe(''));
});

test('what a measure costs in the market is read beside the price, as the law of many countries has it', async () => {
  using extension = setUpExtension(TARGET);
  shopIn(extension, 'DE', 'EUR');
  const measured = {unitPrice: {amount: '34.2', currencyCode: 'EUR'}, unitPriceMeasurement: {referenceUnit: 'KG', referenceValue: 1}};
  asks(extension, async () => ({data: {nodes: [{id: OATS, availableForSale: true, price: {amount: '17.1', currencyCode: 'EUR'}, ...measured}]}}));
  extension.fetch = replying(answer());
  await renderOffer(extension);
  expect(words()).toMatch(/17\.1\D* \(\D*34\.2\D*\/\D*kg\D*\)/);
});
