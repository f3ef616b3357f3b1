import type {Scene} from '../src/model.ts';
import type {Offer} from '../src/offer.ts';
import {readSettings, type Settings} from '../src/settings.ts';

/** The settings of a merchant who chose none. */
export const SETTINGS: Settings = readSettings({});

/** What a test varies of a checkout of milk that takes everything. */
export function scene(overrides: Partial<Scene> = {}): Scene {
  return {
    surface: 'checkout',
    settings: SETTINGS,
    can: {add: true, remove: true, codes: true, discount: true},
    cartTitles: {'gid://shopify/Product/1': 'Milk'},
    inCart: new Set(['gid://shopify/ProductVariant/1']),
    codes: new Set(),
    subtotal: 30,
    currency: 'USD',
    ownPrices: false,
    prices: new Map(),
    storefrontUrl: 'https://shop.example.test/',
    now: Date.parse('2026-11-25T12:00:00Z'),
    preview: false,
    ...overrides,
  };
}

/** An answer of `POST /api/personalize` with one upsell, and what a test varies of it. */
export function answer(overrides: Record<string, unknown> = {}) {
  return {decision_id: 'd1', rung: 'session', arm: 'personalised', offers: [wireUpsell()], fallback: null, ttl_s: 60, ...overrides};
}

export function wireUpsell(overrides: Record<string, unknown> = {}) {
  return {
    offer_id: 'o1',
    kind: 'upsell',
    slot: 'main',
    product: {product_id: '7', variant_id: '70', title: 'Oat biscuits', price: '12.50', currency: 'USD', image: 'https://cdn.example.test/oat.png'},
    why: [{reason: 'bought_together', with: '1', weight: 0.62}],
    ...overrides,
  };
}

export function upsell(overrides: Partial<Offer> = {}): Offer {
  return {
    decision_id: 'd1',
    offer_id: 'o1',
    kind: 'upsell',
    product: {
      product_id: 'gid://shopify/Product/7',
      variant_id: 'gid://shopify/ProductVariant/70',
      title: 'Oat biscuits',
      price: 12.5,
      currency: 'USD',
      image: 'https://cdn.example.test/oat.png',
    },
    why: [{reason: 'bought_together', with: 'gid://shopify/Product/1'}],
    ...overrides,
  };
}

export function coupon(overrides: Partial<Offer> = {}): Offer {
  return {decision_id: 'd1', offer_id: 'c1', kind: 'coupon', discount: {code: 'TEN', percentage: 10, applies_to: 'order'}, why: [], ...overrides};
}
