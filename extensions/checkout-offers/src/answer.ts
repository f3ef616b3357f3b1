import {array, gid, isRecord, number, text} from './parse.ts';

/** An offer as `POST /api/personalize` sends it, checked and with its decision's id on it. */
export interface Offer {
  decision_id: string;
  offer_id: string;
  kind: string;
  product?: Product;
  discount?: Discount;
  message?: Message;
  why: Why[];
}

export interface Product {
  product_id: string;
  variant_id: string;
  title: string;
  /** Major units of `currency`, which is the shop's own; the cart's where it is not told. */
  price: number;
  currency?: string;
  image?: string;
}

export interface Discount {
  code: string;
  percentage?: number;
}

export interface Message {
  key: string;
  args: Record<string, string | number>;
}

export interface Why {
  reason: string;
  /** The product that the reason speaks of. */
  with?: string;
}

/** Return the offers of an answer, without the broken ones; null when it is no answer at all. */
export function parseAnswer(body: unknown): Offer[] | null {
  if (!isRecord(body)) return null;
  const decisionId = text(body.decision_id);
  if (!decisionId || !Array.isArray(body.offers)) return null;
  return body.offers.flatMap((each) => parseOffer(each, decisionId) ?? []);
}

function parseOffer(raw: unknown, decision_id: string): Offer | undefined {
  if (!isRecord(raw)) return undefined;
  const offer_id = text(raw.offer_id);
  const kind = text(raw.kind);
  if (!offer_id || !kind) return undefined;
  return {
    decision_id,
    offer_id,
    kind,
    product: parseProduct(raw.product),
    discount: parseDiscount(raw.discount),
    message: parseMessage(raw.message),
    why: array(raw.why).flatMap((each) => parseWhy(each) ?? []),
  };
}

function parseProduct(raw: unknown): Product | undefined {
  if (!isRecord(raw)) return undefined;
  const product_id = gid('Product', raw.product_id);
  const variant_id = gid('ProductVariant', raw.variant_id);
  const title = text(raw.title);
  const price = number(raw.price);
  if (!product_id || !variant_id || !title || price === undefined || price < 0) return undefined;
  return {product_id, variant_id, title, price, currency: text(raw.currency), image: imageAddress(raw.image)};
}

function imageAddress(raw: unknown): string | undefined {
  const address = text(raw);
  return address && /^https?:\/\//.test(address) ? address : undefined;
}

function parseDiscount(raw: unknown): Discount | undefined {
  if (!isRecord(raw)) return undefined;
  const code = text(raw.code);
  return code ? {code, percentage: number(raw.percentage)} : undefined;
}

function parseMessage(raw: unknown): Message | undefined {
  if (!isRecord(raw)) return undefined;
  const key = text(raw.key);
  return key ? {key, args: parseArgs(raw.args)} : undefined;
}

function parseArgs(raw: unknown): Record<string, string | number> {
  if (!isRecord(raw)) return {};
  const usable = Object.entries(raw).filter(([, value]) => ['string', 'number'].includes(typeof value));
  return Object.fromEntries(usable) as Record<string, string | number>;
}

function parseWhy(raw: unknown): Why | undefined {
  if (!isRecord(raw)) return undefined;
  const reason = text(raw.reason);
  return reason ? {reason, with: gid('Product', raw.with)} : undefined;
}
