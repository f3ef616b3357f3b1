import {array, gid, isRecord, money, number, text, type Money} from './parse.ts';

/** An offer as `POST /api/personalize` sends it, checked; one that was painted ahead has no decision yet. */
export interface Offer {
  decision_id?: string;
  offer_id: string;
  kind: string;
  /** The merchant's campaign that makes it, where one does. */
  campaign?: string;
  product?: Product;
  discount?: Discount;
  message?: Message;
  progress?: Progress;
  why: Why[];
}

export interface Product {
  product_id: string;
  variant_id: string;
  title: string;
  /** Which it is, of a product with several. */
  variant?: string;
  /** Major units of `currency`, which is the shop's own; the cart's where it is not told. */
  price: number;
  currency?: string;
  /** In the same currency, where the buyer's market tells it. */
  unit?: UnitPrice;
  image?: string;
  /** What its page is called in the shop. */
  handle?: string;
}

/** What a measure of a product costs, which many countries' law has beside its price. */
export interface UnitPrice {
  amount: number;
  /** The measure as it is read, from left to right everywhere and apart from the money beside it: kg, 100 ml. */
  per: string;
}

export interface Discount {
  /** null: the shop's discount function applies it, and there is nothing to type. */
  code: string | null;
  /** What the cart carries for the shop's discount function, where there is no code. */
  grant?: string;
  /** In percent: 10. */
  percentage?: number;
  amount?: Money;
  /** order: all that is bought. */
  applies_to: 'order' | 'shipping';
  /** Milliseconds since 1970. */
  expires_at?: number;
}

export type Arg = string | number | Money;

/** What to say: a key of locales/, or the merchant's own words for this language. */
export interface Message {
  key: string;
  args: Record<string, Arg>;
  text?: string | Plural;
}

/** The same sentence for each plural form that the language has: one, other, … */
export type Plural = Record<string, string>;

/** How far the cart is on its way to something, in one currency. */
export interface Progress {
  current: number;
  target: number;
  currency: string;
}

export interface Why {
  reason: string;
  /** The product that the reason speaks of. */
  with?: string;
}

/** Return the offer, or undefined where it is broken. */
export function parseOffer(raw: unknown, decision_id: string): Offer | undefined {
  if (!isRecord(raw)) return undefined;
  const offer_id = text(raw.offer_id);
  const kind = text(raw.kind);
  if (!offer_id || !kind) return undefined;
  return {
    decision_id,
    offer_id,
    kind,
    campaign: text(raw.campaign),
    product: parseProduct(raw.product),
    discount: parseDiscount(raw.discount),
    message: parseMessage(raw.message),
    progress: parseProgress(raw.progress),
    why: array(raw.why).flatMap((each) => parseWhy(each) ?? []),
  };
}

export function parseProduct(raw: unknown): Product | undefined {
  if (!isRecord(raw)) return undefined;
  const product_id = gid('Product', raw.product_id);
  const variant_id = gid('ProductVariant', raw.variant_id);
  const title = text(raw.title);
  const price = number(raw.price);
  if (!product_id || !variant_id || !title || price === undefined || price < 0) return undefined;
  return {
    product_id,
    variant_id,
    title,
    variant: text(raw.variant),
    price,
    currency: text(raw.currency),
    image: imageAddress(raw.image),
    handle: text(raw.handle),
  };
}

/** Return what the product is called in full, to who does not see the card. */
export function nameOf({title, variant}: Product): string {
  return variant ? `${title}, ${variant}` : title;
}

function imageAddress(raw: unknown): string | undefined {
  const address = text(raw);
  return address && /^https?:\/\//.test(address) ? address : undefined;
}

/** A discount that says neither its code nor what it takes off is none. */
function parseDiscount(raw: unknown): Discount | undefined {
  if (!isRecord(raw)) return undefined;
  const code = text(raw.code) ?? null;
  const percentage = number(raw.percentage);
  const amount = money(raw.amount, raw.currency);
  if (!code && !percentage && !amount) return undefined;
  const applies_to = raw.applies_to === 'shipping' ? raw.applies_to : 'order';
  const expires_at = Date.parse(String(raw.expires_at));
  const grant = text(raw.grant);
  return {code, percentage, amount, applies_to, ...(grant && {grant}), ...(expires_at && {expires_at})};
}

function parseMessage(raw: unknown): Message | undefined {
  if (!isRecord(raw)) return undefined;
  const own = parseText(raw.text);
  const key = text(raw.key) ?? (own && 'own');
  return key ? {key, args: parseArgs(raw.args), ...(own && {text: own})} : undefined;
}

function parseText(raw: unknown): string | Plural | undefined {
  if (!isRecord(raw)) return text(raw);
  const forms = Object.entries(raw).filter(([, form]) => text(form));
  return text(raw.other) ? (Object.fromEntries(forms) as Plural) : undefined;
}

function parseArgs(raw: unknown): Record<string, Arg> {
  if (!isRecord(raw)) return {};
  return Object.fromEntries(Object.entries(raw).flatMap(([name, value]) => {
    const arg = isRecord(value) ? money(value.amount, value.currency) : value;
    return isRecord(arg) || typeof arg === 'string' || typeof arg === 'number' ? [[name, arg as Arg]] : [];
  }));
}

function parseProgress(raw: unknown): Progress | undefined {
  if (!isRecord(raw)) return undefined;
  const current = money(raw.current, raw.currency);
  const target = money(raw.target, raw.currency);
  if (!current || !target || target.amount <= 0) return undefined;
  return {current: current.amount, target: target.amount, currency: target.currency};
}

export function parseWhy(raw: unknown): Why | undefined {
  if (!isRecord(raw)) return undefined;
  const reason = text(raw.reason);
  return reason ? {reason, with: gid('Product', raw.with)} : undefined;
}
