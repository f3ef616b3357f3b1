import {browserOf} from './browser.ts';
import {consentOf, regionOf, type Consent, type Region} from './consent.ts';
import {isCompany, type Host, type Line} from './host.ts';
import {gid} from './parse.ts';
import type {Settings} from './settings.ts';
import type {Surface} from './surface.ts';

/** The body of `POST /api/personalize`. Money is in decimal strings. */
export interface Question {
  surface: Surface;
  checkout_token?: string;
  /** Shopify's id of the browser, which a checkout does not tell: the storefront left it on the cart. */
  client_id?: string;
  locale: string;
  /** Of the market that the buyer shops in. */
  country?: string;
  /** Where the buyer is, which decides what the law asks. */
  region?: Region;
  /** codes: those that the buyer has applied, so that nothing is offered which does not go with them. */
  cart: {currency: string; subtotal: string; lines: QuestionLine[]; codes: string[]};
  consent: Consent;
  /** dwell_ms: how long the buyer has been on this page; only for an app that may use it. */
  signals?: {dwell_ms: number};
  /** A company buys, at prices of its own: it is given no discount. */
  company?: true;
  /** What there is a place for; absent where that is everything. A message is one that stands above the products. */
  wants?: 'products' | 'messages' | 'message';
}

/** Ids are numbers alone: with all of its GIDs, a cart of 500 lines would take twice as long to send. */
export interface QuestionLine {
  product_id: string;
  variant_id: string;
  quantity: number;
  /** Of one unit, after discounts. */
  price: string;
  /** No code takes anything off it: it comes again and again. */
  full_price?: true;
  /** The products in it, where it is a bundle: none of them is offered beside it. */
  parts?: string[];
}

/** Cart lines added from an offer carry these, and so do the order's lines. */
export const DECISION = '_tillwise_decision';
export const OFFER = '_tillwise_offer';
/** Of the cart itself: what a discount without a code is taken off for. */
export const GRANT = '_tillwise_grant';

/** Return the question for what is in the checkout now. */
export function question(host: Host, surface: Surface): Question {
  const {amount, currencyCode} = host.cost.subtotalAmount.value;
  const left = shareLeft(host);
  return {
    surface,
    checkout_token: host.checkoutToken.value,
    client_id: browserOf(host, surface),
    locale: host.localization.language.value.isoCode,
    country: host.localization.country.value?.isoCode,
    region: regionOf(host.customerPrivacy.value),
    cart: {
      currency: currencyCode,
      subtotal: decimal(amount, currencyCode),
      lines: host.lines.value.flatMap((line) => questionLine(line, left) ?? []),
      codes: host.discountCodes.value.map(({code}) => code),
    },
    consent: consentOf(host.customerPrivacy.value),
    ...(isCompany(host) && {company: true}),
  };
}

/** Return what the merchant lets the block show: what it never shows is not to be chosen, nor counted as offered. */
export function wanted({show_products, show_messages}: Settings): Question['wants'] | 'nothing' {
  if (show_products) return show_messages ? undefined : 'products';
  return show_messages ? 'messages' : 'nothing';
}

/**
 * Return what a new question is worth asking for: the buyer's own lines and codes, their market, consent and region,
 * not the offers they took. taken: codes of those, in capitals.
 */
export function occasion(host: Host, taken: ReadonlySet<string>): string {
  const own = host.lines.value.filter((line) => !isOurs(line)).map((line) => [line.merchandise.id, line.quantity]);
  const codes = host.discountCodes.value.map(({code}) => code.toUpperCase()).filter((code) => !taken.has(code));
  const market = [host.localization.country.value?.isoCode, host.cost.subtotalAmount.value.currencyCode];
  const privacy = host.customerPrivacy.value;
  return JSON.stringify([own, codes, market, consentOf(privacy), regionOf(privacy)]);
}

export function isOurs(line: Line): boolean {
  return line.attributes.some(({key}) => key === OFFER);
}

/** Return which share of what lines cost is left by what is taken off the order as a whole: a line's own cost does not know of that. */
function shareLeft({lines, discountAllocations}: Host): number {
  const cost = lines.value.reduce((sum, line) => sum + line.cost.totalAmount.amount, 0);
  const off = discountAllocations.value.reduce((sum, {discountedAmount}) => sum + discountedAmount.amount, 0);
  return cost > 0 ? Math.max(1 - off / cost, 0) : 1;
}

/** Return the line as the app is told it; undefined for one of no product, such as an item that a merchant made up. */
function questionLine({merchandise, quantity, cost, lineComponents}: Line, left: number): QuestionLine | undefined {
  const {amount, currencyCode} = cost.totalAmount;
  const product_id = numberOf('Product', merchandise.product.id);
  const variant_id = numberOf('ProductVariant', merchandise.id);
  if (!product_id || !variant_id) return undefined;
  return {
    product_id,
    variant_id,
    quantity,
    price: decimal((amount * left) / Math.max(quantity, 1), currencyCode),
    ...(merchandise.sellingPlan?.recurringDeliveries && {full_price: true}),
    ...(lineComponents?.length && {parts: lineComponents.flatMap((part) => numberOf('Product', part.merchandise.product.id) ?? [])}),
  };
}

/** Return the products in a line: its own, and those that a bundle holds. */
export function productsOf({merchandise, lineComponents = []}: Line): string[] {
  return [merchandise, ...lineComponents.map((part) => part.merchandise)].map(({product}) => product.id);
}

function numberOf(type: string, id: string): string | undefined {
  return gid(type, id)?.split('/').pop();
}

/** Return an amount with its currency's digits: 12.5 USD -> "12.50", 300 JPY -> "300". */
export function decimal(amount: number, currency: string): string {
  const format = new Intl.NumberFormat('en', {style: 'currency', currency});
  return amount.toFixed(format.resolvedOptions().maximumFractionDigits);
}
