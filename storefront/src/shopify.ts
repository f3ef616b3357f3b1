/** The parts of `window.Shopify` that a storefront gives to apps. */
interface ShopifyGlobal {
  loadFeatures?(features: {name: string; version: string}[], done: (error?: unknown) => void): void;
  customerPrivacy?: CustomerPrivacy;
  analytics?: {publish?(name: string, data: Record<string, unknown>): unknown};
  actions?: {updateCart?: UpdateCart};
}

/** https://shopify.dev/docs/api/storefront-events-and-actions/actions/update-cart */
export interface UpdateCart {
  (change: {lines: {merchandiseId: string; quantity: number; attributes: {key: string; value: string}[]}[]}): Promise<CartUpdated | undefined>;
  /** Whether the theme has left it as Shopify has it. */
  isDefault(): boolean;
}

interface CartUpdated {
  cart?: {lines?: {nodes: readonly {merchandise?: {id: string}}[]}};
  userErrors?: readonly unknown[];
  warnings?: readonly {code?: string}[];
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
