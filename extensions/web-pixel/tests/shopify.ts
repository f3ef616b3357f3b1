import type {ExtensionApi} from '@shopify/web-pixels-extension';
import type {ShopifyEvent} from '../src/events.ts';

type Allowed = {analyticsProcessingAllowed: boolean; marketingAllowed: boolean; preferencesProcessingAllowed: boolean; saleOfDataAllowed: boolean};

export const NONE: Allowed = {analyticsProcessingAllowed: false, marketingAllowed: false, preferencesProcessingAllowed: false, saleOfDataAllowed: false};
export const ANALYTICS: Allowed = {...NONE, analyticsProcessingAllowed: true};
export const ALL: Allowed = {analyticsProcessingAllowed: true, marketingAllowed: true, preferencesProcessingAllowed: true, saleOfDataAllowed: true};

/** Shopify's side of a pixel: its API, and what a test does in the browser. */
export function createShopify(allowed: Allowed, settings: Record<string, unknown> = {accountID: 'pk_test'}) {
  const subscribers = new Map<string, (event: ShopifyEvent) => void>();
  const stored = new Map<string, string>();
  let collect = (_: {customerPrivacy: Allowed}) => undefined as void;
  const api = {
    settings,
    analytics: {subscribe: (name: string, callback: (event: ShopifyEvent) => void) => subscribers.set(name, callback)},
    browser: {
      sessionStorage: {
        getItem: async (key: string) => stored.get(key) ?? null,
        setItem: async (key: string, value: string) => stored.set(key, value),
        removeItem: async (key: string) => stored.delete(key),
      },
    },
    customerPrivacy: {subscribe: (_: string, callback: typeof collect) => (collect = callback)},
    init: {customerPrivacy: allowed, data: {customer: {id: '42', email: 'ada@example.test', firstName: 'Ada'}}},
  };
  return {
    api: api as unknown as ExtensionApi,
    stored,
    subscribed: () => [...subscribers.keys()],
    fire: (event: ShopifyEvent) => subscribers.get(event.name)?.(event),
    consent: (customerPrivacy: Allowed) => collect({customerPrivacy}),
  };
}

let next = 0;

export function shopifyEvent(name: string, overrides: Partial<ShopifyEvent> = {}): ShopifyEvent {
  next += 1;
  return {id: `e${next}`, name, timestamp: '2026-11-24T04:00:00.000Z', clientId: 'client-1', ...overrides};
}

const usd = (amount: number) => ({amount, currencyCode: 'USD'});

export const VARIANT = {
  id: '70',
  image: {src: 'https://cdn.example.test/oat.png'},
  price: usd(12.5),
  product: {id: '7', title: 'Oat biscuits', type: 'Biscuits', untranslatedTitle: 'Oat biscuits', url: '/products/oat?ref=ada', vendor: 'Oaty'},
  sku: 'OAT',
  title: 'Large',
  untranslatedTitle: 'Large',
};

const ADDRESS = {
  address1: '1 Analytical Row',
  address2: null,
  city: 'London',
  country: 'United Kingdom',
  countryCode: 'GB',
  firstName: 'Ada',
  lastName: 'Lovelace',
  phone: '+44 20 7946 0000',
  province: null,
  provinceCode: null,
  zip: 'N1 1AA',
};

/** A checkout with everything in it that must stay behind. */
export const CHECKOUT = {
  attributes: [{key: 'gift_note', value: 'For Ada'}],
  billingAddress: ADDRESS,
  buyerAcceptsEmailMarketing: true,
  buyerAcceptsSmsMarketing: false,
  currencyCode: 'USD',
  delivery: null,
  discountApplications: [],
  discountsAmount: null,
  email: 'ada@example.test',
  lineItems: [
    {
      discountAllocations: [],
      finalLinePrice: usd(25),
      id: '1',
      properties: [{key: 'Engraving', value: 'Ada'}],
      quantity: 2,
      sellingPlanAllocation: null,
      title: 'Oat biscuits',
      variant: VARIANT,
    },
  ],
  localization: {country: {isoCode: 'GB'}, language: {isoCode: 'en'}, market: {handle: 'gb', id: '1'}},
  order: {customer: {id: '42', isFirstOrder: true}, id: '9001'},
  phone: '+44 20 7946 0000',
  shippingAddress: ADDRESS,
  shippingLine: null,
  smsMarketingPhone: null,
  subtotalPrice: usd(25),
  token: 'checkout-token',
  totalPrice: usd(29.9),
  totalTax: usd(2),
  transactions: [],
};
