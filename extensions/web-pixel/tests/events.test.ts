import {AlertDisplayedType} from '@shopify/web-pixels-extension';
import {describe, expect, test} from 'vitest';
import {consentOf} from '../src/consent.ts';
import {EVENTS, track, type ShopifyEvent} from '../src/events.ts';
import {pathOf} from '../src/facts.ts';
import {ALL, ANALYTICS, CHECKOUT, shopifyEvent, VARIANT} from './shopify.ts';

const CONSENT = consentOf(ALL);
const data = (name: string, overrides: Partial<ShopifyEvent>) => track(shopifyEvent(name, overrides), CONSENT).data;
const PRODUCT = {product_id: '7', variant_id: '70', price: '12.50', currency: 'USD'};
const LINE = {cost: {totalAmount: {amount: 25, currencyCode: 'USD'}}, merchandise: VARIANT, quantity: 2};

describe('what is kept of each event', () => {
  test('a page is its path', () => {
    const context = {document: {location: {pathname: '/products/oat', search: '?email=ada@example.test'}}};
    expect(data('page_viewed', {context})).toEqual({path: '/products/oat'});
  });

  test('a product is its ids and price', () => {
    expect(data('product_viewed', {data: {productVariant: VARIANT}})).toEqual(PRODUCT);
  });

  test.each(['product_added_to_cart', 'product_removed_from_cart'])('%s is a product and a quantity', (name) => {
    expect(data(name, {data: {cartLine: LINE}})).toEqual({...PRODUCT, quantity: 2});
    expect(data(name, {data: {cartLine: null}})).toEqual({});
  });

  test('a cart is its total and lines, without its attributes', () => {
    const cart = {id: 'c1', attributes: [{key: 'note', value: 'Ada'}], cost: {totalAmount: {amount: 25, currencyCode: 'USD'}}, lines: [LINE], totalQuantity: 2};
    expect(data('cart_viewed', {data: {cart}})).toEqual({total: '25.00', currency: 'USD', lines: [{...PRODUCT, quantity: 2}]});
    expect(data('cart_viewed', {data: {cart: null}})).toEqual({});
  });

  test('a search is what was found, not what was typed', () => {
    const searchResult = {query: 'ada lovelace', productVariants: [VARIANT]};
    expect(data('search_submitted', {data: {searchResult}})).toEqual({count: 1, product_ids: ['7']});
  });

  test('a collection is its id and its first products', () => {
    const collection = {id: '5', title: 'Biscuits', productVariants: Array.from({length: 30}, () => VARIANT)};
    const kept = data('collection_viewed', {data: {collection}});
    expect(kept).toMatchObject({collection_id: '5', count: 30});
    expect(kept.product_ids).toHaveLength(20);
  });

  test('an alert is its type, neither its place nor its words', () => {
    const alert = {type: AlertDisplayedType.InputInvalid, target: 'cart.buyerIdentity.email', message: 'ada@ is not valid', value: 'ada@'};
    expect(data('alert_displayed', {data: {alert}})).toEqual({type: 'INPUT_INVALID'});
  });

  test.each(Object.keys(EVENTS).filter((name) => /^(checkout|payment)_/.test(name)))('%s is ids, prices and quantities', (name) => {
    const event = track(shopifyEvent(name, {data: {checkout: CHECKOUT}}), CONSENT);
    expect(event.checkout_token).toBe('checkout-token');
    expect(event.data).toEqual({
      order_id: '9001',
      total: '29.90',
      currency: 'USD',
      subtotal: '25.00',
      lines: [{...PRODUCT, quantity: 2}],
    });
  });

  test('an offer’s event keeps the ids that it was published with', () => {
    const facts = {decision_id: 'd1', offer_id: 'o1', product_id: 'gid://shopify/Product/7', variant_id: 'gid://shopify/ProductVariant/70', surface: 'checkout'};
    const customData = {...facts, checkout_token: 'checkout-token', email: 'ada@example.test'};
    const event = track(shopifyEvent('tillwise:offer_shown', {customData}), CONSENT);
    expect(event.data).toEqual(facts);
    expect(event.checkout_token).toBe('checkout-token');
  });

  test('of what the storefront notices nothing is told but a product', () => {
    const customData = {kind: 'pointer', dwell_ms: 1200.6, product_id: '7', email: 'ada@example.test'};
    expect(data('tillwise:exit_intent', {customData})).toEqual({});
    expect(data('tillwise:page_left', {customData})).toEqual({});
    expect(data('tillwise:thumbnail_clicked', {customData})).toEqual({product_id: '7'});
  });

  test.each(Object.keys(EVENTS))('%s survives having no data', (name) => {
    expect(track(shopifyEvent(name), CONSENT).name).toBe(name);
  });
});

test('nothing that names a person is ever kept', () => {
  for (const name of Object.keys(EVENTS)) {
    const everything = {checkout: CHECKOUT, productVariant: VARIANT, cartLine: LINE, searchResult: {query: 'Ada', productVariants: [VARIANT]}};
    const text = JSON.stringify(track(shopifyEvent(name, {data: everything, customData: {email: 'ada@example.test'}}), CONSENT, '42'));
    expect(text).not.toMatch(/ada|lovelace|analytical|7946|N1 1AA/i);
  }
});

describe('who the visitor is', () => {
  test('the customer’s id goes along only where their profile may be used', () => {
    const event = shopifyEvent('page_viewed');
    expect(track(event, consentOf(ALL), '42').customer_id).toBe('42');
    expect(track(event, consentOf(ANALYTICS), '42').customer_id).toBeUndefined();
    expect(track(event, consentOf(ALL), undefined).customer_id).toBeUndefined();
  });

  test('every event carries the consent it was sent under', () => {
    expect(track(shopifyEvent('page_viewed'), consentOf(ANALYTICS)).consent).toEqual({analytics: true, marketing: false, preferences: false, sale_of_data: false});
  });

  test('a purpose that is not named is not allowed', () => {
    const none = {analytics: false, marketing: false, preferences: false, sale_of_data: false};
    expect(consentOf(undefined)).toEqual(none);
    expect(consentOf({})).toEqual(none);
  });
});

test.each([
  ['/', '/'],
  ['/products/oat', '/products/oat'],
  ['/fr/products/oat', '/fr/products/oat'],
  ['/checkouts/cn/secret-token/information', '/checkouts'],
  ['/123/orders/secret-token/authenticate', '/123/orders'],
  ['/account/activate/secret', '/account'],
  ['/gift_cards/1/secret-token', '/gift_cards'],
  ['/cart/c/secret-token', '/cart'],
  ['/apps/returns/orders-of/secret-token', '/apps/returns'],
  ['/fr-CA/a/returns/secret-token', '/fr-CA/a/returns'],
  ['/collections/tools/products/saw', '/collections/tools/products/saw'],
])('the path %s is kept as %s', (pathname, expected) => {
  expect(pathOf(pathname)).toBe(expected);
});
