import type {CartLine, CheckoutApi, CustomerPrivacy, StandardApi} from '@shopify/ui-extensions/checkout';
import type {Entries} from './aheadForm.ts';
import type {Query} from './prices.ts';

type Standard = StandardApi<'purchase.checkout.block.render'>;

/** A signal as far as it is read: the component that reads `value` renders again when it changes. */
interface Reading<Value> {
  readonly value: Value;
}

/** The parts of a cart line that offers need, alike in a checkout and in a customer's account. */
export type Line = Pick<CartLine, 'id' | 'quantity' | 'attributes' | 'cost' | 'discountAllocations'> & {
  /** What a bundle holds. */
  lineComponents?: readonly {merchandise: {product: {id: string}}}[];
  /** sellingPlan: what it is bought with; whether it comes again and again a checkout alone tells. */
  merchandise: Pick<CartLine['merchandise'], 'id' | 'title' | 'selectedOptions' | 'product'> & {sellingPlan?: {id: string; recurringDeliveries?: boolean}};
};

interface Instructions {
  attributes: {canUpdateAttributes: boolean};
  discounts: {canUpdateDiscountCodes: boolean};
  lines: {canAddCartLine: boolean; canRemoveCartLine: boolean};
}

/** What every target has: signals, read through `.value` when they are needed. */
export interface Host {
  analytics: Pick<Standard['analytics'], 'publish'>;
  appMetafields: Reading<Entries>;
  /** Of the order as a whole. */
  attributes: Reading<readonly {key: string; value?: string}[] | undefined>;
  /** Absent where the app may not know who buys. */
  buyerIdentity?: {customer: Reading<{id: string} | undefined>; purchasingCompany?: Reading<object | undefined>};
  checkoutToken: Reading<string | undefined>;
  /** totalShippingAmount: of the way that the buyer has chosen, once they have. */
  cost: {subtotalAmount: Reading<{amount: number; currencyCode: string}>; totalShippingAmount?: Reading<{amount: number} | undefined>};
  customerPrivacy: Reading<CustomerPrivacy>;
  /** Of the order as a whole; what is taken off a line stands with it. */
  discountAllocations: Reading<readonly Pick<CartLine['discountAllocations'][number], 'type' | 'discountedAmount'>[]>;
  discountCodes: Reading<readonly {code: string}[]>;
  /** `rendered` is false on a step that the buyer has not reached; `editor` is there in the merchant's editor only. */
  extension: {rendered: Reading<boolean>; editor?: unknown};
  i18n: Standard['i18n'];
  /** Absent where nothing can be changed. */
  instructions?: Reading<Instructions>;
  lines: Reading<readonly Line[]>;
  /** The Storefront API, by the capability `api_access`. */
  query: Query;
  /** `extensionLanguage`: of the locales that `i18n` translates from, the buyer's own where it is among them. */
  localization: Record<'language' | 'extensionLanguage', Reading<{isoCode: string}>> & {country: Reading<{isoCode: string} | undefined>};
  sessionToken: Standard['sessionToken'];
  settings: Reading<Record<string, unknown>>;
  shop: {storefrontUrl?: string};
  applyTrackingConsentChange?: Standard['applyTrackingConsentChange'];
}

/** Return whether this is the merchant's editor: what is not there need not even be undefined. */
export function isEditor({extension}: Host): boolean {
  return 'editor' in extension && extension.editor !== undefined;
}

/** Return whether a company buys; false where the app may not know. */
export function isCompany(host: Host): boolean {
  return 'buyerIdentity' in host && host.buyerIdentity?.purchasingCompany?.value !== undefined;
}

/** Return what may be changed; nothing where the page has no instructions. */
export function instructionsOf(host: Host): Partial<Instructions> {
  return 'instructions' in host ? {...host.instructions?.value} : {};
}

/** What a checkout can change and a placed order cannot. */
export type CartApi = Pick<CheckoutApi, 'applyAttributeChange' | 'applyCartLinesChange' | 'applyDiscountCodeChange'>;
