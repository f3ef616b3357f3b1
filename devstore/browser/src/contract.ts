/**
 * What the pages and the dev store say to each other about one checkout.
 *
 *   GET  /host/{token}                     -> CheckoutState
 *   POST /host/{token}/lines               a cart line change, as the extension API spells it -> Changed
 *   POST /host/{token}/discount-codes      a discount code change                            -> Changed
 *   POST /host/{token}/attributes          an attribute change                               -> Changed
 *   POST /host/{token}/session-token       -> {token}
 *   POST /host/{token}/complete            {email} -> Changed, the order in orderConfirmation
 *
 * CheckoutState has the shapes of Shopify's checkout API 2026-07 under the same names.
 * A refused change is a 200 with result.type "error" and the reason in words for the buyer.
 */

export interface Money {
  readonly amount: number;
  readonly currencyCode: string;
}

export interface Attribute {
  readonly key: string;
  readonly value: string;
}

export type DiscountAllocation =
  | {readonly type: 'code'; readonly code: string; readonly discountedAmount: Money}
  | {readonly type: 'automatic' | 'custom'; readonly title: string; readonly discountedAmount: Money};

export interface CartLine {
  readonly id: string;
  readonly quantity: number;
  readonly attributes: readonly Attribute[];
  readonly cost: {readonly totalAmount: Money};
  readonly discountAllocations: readonly DiscountAllocation[];
  readonly lineComponents: readonly unknown[];
  readonly parentRelationship: null;
  readonly merchandise: {
    readonly type: 'variant';
    readonly id: string;
    readonly title: string;
    readonly subtitle?: string;
    readonly sku?: string;
    readonly image?: {readonly url: string; readonly altText?: string};
    readonly requiresShipping: boolean;
    readonly selectedOptions: readonly {readonly name: string; readonly value: string}[];
    readonly sellingPlan?: {readonly id: string; readonly recurringDeliveries: boolean};
    readonly product: {readonly id: string; readonly vendor: string; readonly productType: string};
  };
}

export interface AppMetafieldEntry {
  readonly target: {readonly type: string; readonly id: string};
  readonly metafield: Attribute & {readonly namespace: string; readonly type: string; readonly valueType: string};
}

export interface CheckoutState {
  readonly checkoutToken: string;
  readonly lines: readonly CartLine[];
  readonly cost: {readonly subtotalAmount: Money; readonly totalAmount: Money};
  readonly discountCodes: readonly {readonly code: string}[];
  readonly discountAllocations: readonly DiscountAllocation[];
  readonly attributes: readonly Attribute[];
  readonly buyerIdentity: {
    readonly customer?: {readonly id: string; readonly ordersCount?: number} | null;
    readonly email?: string | null;
    readonly purchasingCompany?: object | null;
  };
  readonly shop: {
    readonly id: string;
    readonly name: string;
    readonly myshopifyDomain: string;
    readonly storefrontUrl?: string;
  };
  readonly appMetafields: readonly AppMetafieldEntry[];
  readonly orderConfirmation?: {readonly order: {readonly id: string}; readonly number?: string; readonly isFirstOrder: boolean} | null;
}

export type Result = {readonly type: 'success'} | {readonly type: 'error'; readonly message: string};

export interface Changed {
  readonly result: Result;
  readonly state: CheckoutState;
}
