import type {Arm} from './bucket.ts';
import {parseProduct, parseWhy, type Offer} from './offer.ts';
import {array, gid, isRecord, json, text} from './parse.ts';

/** What Shopify hands over with the checkout of the app's metafields, in the form of docs/offers-ahead.md. */
export interface Ahead {
  /** How the shop's visitors are split, in the order in which they are assigned. */
  salt: string;
  arms: Arm[];
  /** Further experiments: what they show is not known ahead. */
  others: {salt: string; ramp: number}[];
  offers: Offer[];
  /** By product GID. */
  products: Record<string, Offer[]>;
  /** The customer's own list, or that of their segment. */
  customer: Offer[];
}

export type Entries = readonly {target: {type: string; id: string}; metafield: {key: string; value: unknown}}[];
type Value = Record<string, unknown>;

/** Return what is held ahead; undefined without the shop's own metafield. */
export function readAhead(entries: Entries): Ahead | undefined {
  const [shop] = valuesOf(entries, 'shop', 'offers');
  const salt = text(shop?.[1].salt);
  const currency = text(shop?.[1].currency);
  if (!shop || !salt || !currency) return undefined;
  const offers = (value: unknown) => array(value).flatMap((raw) => aheadOffer(raw, currency) ?? []);
  const products = valuesOf(entries, 'product', 'offers').map(([id, value]) => [gid('Product', id), offers(value.offers)]);
  const [customer] = valuesOf(entries, 'customer', 'offers');
  const own = offers(customer?.[1].offers);
  const [segments] = valuesOf(entries, 'shop', 'segment_offers');
  return {
    salt,
    arms: pairs(shop[1].arms).map(([name, share]) => ({name, share})),
    others: pairs(shop[1].others).map(([other, ramp]) => ({salt: other, ramp})),
    offers: offers(shop[1].offers),
    products: Object.fromEntries(products) as Ahead['products'],
    customer: own.length ? own : offers(segmentList(segments?.[1].segments, customer?.[1].segment)),
  };
}

/** Return each owner's id and the value under the key, without those of another version. */
function valuesOf(entries: Entries, type: string, key: string): [id: string, value: Value][] {
  return entries.flatMap(({target, metafield}): [string, Value][] => {
    if (target.type !== type || metafield.key !== key) return [];
    const value = json(metafield.value);
    return isRecord(value) && value.v === 1 ? [[target.id, value]] : [];
  });
}

function segmentList(segments: unknown, segment: unknown): unknown {
  const name = text(segment);
  return isRecord(segments) && name && Object.hasOwn(segments, name) ? segments[name] : undefined;
}

function pairs(raw: unknown): [name: string, share: number][] {
  return array(raw).flatMap((each): [string, number][] => {
    const [name, share] = array(each);
    return typeof name === 'string' && typeof share === 'number' ? [[name, share]] : [];
  });
}

function aheadOffer(raw: unknown, currency: string): Offer | undefined {
  if (!isRecord(raw)) return undefined;
  const {p: product_id, v: variant_id, t: title, o: variant, c: price, i: image} = raw;
  const product = parseProduct({product_id, variant_id, title, variant, price, image, currency});
  if (!product) return undefined;
  const why = array(raw.w).flatMap((each) => {
    const [reason, about] = array(each);
    return parseWhy({reason, with: about}) ?? [];
  });
  return {offer_id: `ahead-${String(variant_id)}`, kind: 'upsell', product, why};
}
