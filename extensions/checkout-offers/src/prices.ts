import {pause} from './again.ts';
import type {Offer, UnitPrice} from './offer.ts';
import {array, isRecord, money, number, text, type Money} from './parse.ts';

/** What a variant costs, and what a measure of it does where the merchant has said how much is in it. */
export interface Price extends Money {
  unit?: UnitPrice;
}

/** What a buyer of one market pays for variants, by GID; null for one that is not sold to them. */
export type Prices = ReadonlyMap<string, Price | null>;

interface Answer {
  data?: unknown;
  errors?: unknown;
}

/** `shopify.query`: the Storefront API, with Shopify's own token. */
export type Query = (query: string, options: {variables: Record<string, unknown>}) => Promise<Answer>;

export const NO_PRICES: Prices = new Map();

/** Prices that take longer are left: one that changes late, under the buyer's eyes, looks like a mistake. */
export const PRICES_MS = 2000;

const QUERY = `query ($ids: [ID!]!, $country: CountryCode!) @inContext(country: $country) {
  nodes(ids: $ids) {
    ... on ProductVariant {
      id availableForSale price { amount currencyCode }
      unitPrice { amount currencyCode } unitPriceMeasurement { referenceValue referenceUnit }
    }
  }
}`;

/** How Shopify's units are written in every language; a count of items is a word, and not said. */
const SYMBOLS: Record<string, string> = {
  ML: 'ml', CL: 'cl', L: 'l', M3: 'm³', FLOZ: 'fl\u00a0oz', PT: 'pt', QT: 'qt', GAL: 'gal',
  MG: 'mg', G: 'g', KG: 'kg', OZ: 'oz', LB: 'lb',
  MM: 'mm', CM: 'cm', M: 'm', IN: 'in', FT: 'ft', YD: 'yd', M2: 'm²', FT2: 'ft²',
};

/** The prices of one market, as far as they were asked for: each variant once, unless that failed. */
export class PriceList {
  readonly prices = new Map<string, Price | null>();
  private readonly asked = new Map<string, Promise<void>>();

  constructor(
    private readonly query: Query,
    private readonly country: string,
  ) {}

  lacks(variants: readonly string[]): boolean {
    return variants.some((variant) => !this.prices.has(variant));
  }

  /** Ask for those that are not known, in one query. Resolves once they are, or can't be. along: a variant of the cart. */
  async ask(variants: readonly string[], along?: string): Promise<void> {
    const unknown = variants.filter((variant) => !this.prices.has(variant));
    const fresh = unknown.filter((variant) => !this.asked.has(variant));
    if (fresh.length) {
      const answered = this.read(fresh, along).finally(() => fresh.forEach((variant) => this.asked.delete(variant)));
      fresh.forEach((variant) => this.asked.set(variant, answered));
    }
    await Promise.all(unknown.map((variant) => this.asked.get(variant)));
  }

  private async read(variants: readonly string[], along?: string): Promise<void> {
    const over = new AbortController();
    const ids = along ? [...variants, along] : variants;
    try {
      const late = pause(PRICES_MS, over.signal).then(() => ({}));
      const answer = await Promise.race([this.query(QUERY, {variables: {ids, country: this.country}}), late]);
      readPrices(answer, variants).forEach((price, variant) => this.prices.set(variant, price));
    } catch {
      // What is shown is the shop's own price, then, where that is in the buyer's currency.
    } finally {
      over.abort();
    }
  }
}

/**
 * Return what the answer says of these variants. What is missing is not sold, unless all is, what is in the cart too, or
 * an error says that there is another reason.
 */
export function readPrices({data, errors}: Answer, variants: readonly string[]): Prices {
  const nodes = array(isRecord(data) ? data.nodes : undefined).filter(isRecord);
  const missing = nodes.length && !array(errors).length ? null : undefined;
  const told = new Map(nodes.map((node) => [text(node.id), priceOf(node)]));
  const known = variants.map((variant) => [variant, told.has(variant) ? told.get(variant) : missing] as const);
  return new Map(known.filter((each): each is [string, Price | null] => each[1] !== undefined));
}

function priceOf({availableForSale, price, unitPrice, unitPriceMeasurement}: Record<string, unknown>): Price | null | undefined {
  if (availableForSale === false) return null;
  const told = isRecord(price) ? money(price.amount, price.currencyCode) : undefined;
  const unit = unitOf(unitPrice, unitPriceMeasurement, told?.currency);
  return told && {...told, ...(unit && {unit})};
}

function unitOf(price: unknown, measurement: unknown, currency: string | undefined): UnitPrice | undefined {
  if (!isRecord(price) || !isRecord(measurement) || price.currencyCode !== currency) return undefined;
  const amount = number(price.amount);
  const measure = number(measurement.referenceValue);
  const symbol = SYMBOLS[String(measurement.referenceUnit)];
  if (!amount || !measure || !symbol) return undefined;
  return {amount, per: `\u2068${measure === 1 ? '' : `${measure}\u00a0`}${symbol}\u2069`};
}

/** Return whether the offer's product is known not to be sold to the buyer. */
export function isUnsold({product}: Offer, prices: Prices): boolean {
  return product !== undefined && prices.get(product.variant_id) === null;
}
