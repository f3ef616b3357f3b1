import {signal, type Signal} from '@preact/signals';
import type {CustomerPrivacy} from '@shopify/ui-extensions/checkout';

/** Shopify's customer privacy of a visitor who was never asked, in a region that asks, and what a test varies of it. */
export function privacy(overrides: Partial<CustomerPrivacy> = {}): CustomerPrivacy {
  return {
    allowedProcessing: {analytics: false, marketing: false, preferences: false, saleOfData: false},
    metafields: [],
    visitorConsent: {},
    shouldShowBanner: true,
    saleOfDataRegion: false,
    ...overrides,
  };
}

/** The same once the visitor answered every purpose alike, and Shopify rules as they said. */
export function answered(answer: boolean): CustomerPrivacy {
  const purposes = {analytics: answer, marketing: answer, preferences: answer, saleOfData: answer};
  return privacy({allowedProcessing: purposes, visitorConsent: purposes, shouldShowBanner: false});
}

/** Return the signal that a checkout gets in the place of the tester's, which re-renders nothing when it changes. */
export function live(shopify: object, value: CustomerPrivacy): Signal<CustomerPrivacy> {
  const customerPrivacy = signal(value);
  Object.assign(shopify, {customerPrivacy});
  return customerPrivacy;
}
