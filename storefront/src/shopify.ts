/** The parts of `window.Shopify` that a storefront gives to apps. */
interface ShopifyGlobal {
  loadFeatures?(features: {name: string; version: string}[], done: (error?: unknown) => void): void;
  customerPrivacy?: CustomerPrivacy;
  analytics?: {publish?(name: string, data: Record<string, unknown>): unknown};
}

/** https://shopify.dev/docs/api/customer-privacy */
export interface CustomerPrivacy {
  analyticsProcessingAllowed(): boolean;
  marketingAllowed(): boolean;
  preferencesProcessingAllowed(): boolean;
  saleOfDataAllowed(): boolean;
  /** The visitor's own word on each purpose: yes, no, or nothing yet. */
  currentVisitorConsent(): Partial<Record<'analytics' | 'marketing' | 'preferences' | 'sale_of_data', string>>;
  /** Country and province in one: USCA. */
  getRegion?(): string;
}

/** Return `window.Shopify`, which a page elsewhere does not have. */
export function shopify(): ShopifyGlobal {
  return (window as {Shopify?: ShopifyGlobal}).Shopify ?? {};
}
