import {ownWords} from './message.ts';
import type {Offer, Why} from './offer.ts';
import {breakable, NAMED_WIDTH, shorten} from './shorten.ts';
import type {Said} from './words.ts';

/** Titles of what is in the cart, by product GID. */
export type CartTitles = Record<string, string>;

/** Reasons that read better when the product they speak of can be named. */
const NAMED = new Map([
  ['bought_together', 'reason.bought_together_with'],
  ['similar', 'reason.similar_to'],
]);

/** Those that are said by their own names. */
export const REASONS = new Set(['bought_together', 'goes_with_history', 'similar', 'popular', 'new_in', 'merchant_pick']);

/** Return the merchant's words for the offer, else its first reason that can be said; undefined when it has none. */
export function reasonWords(offer: Offer, titles: CartTitles): Said | undefined {
  const own = ownWords(offer.message);
  if (own) return own;
  for (const why of offer.why) {
    const title = why.with && titles[why.with];
    const named = NAMED.get(why.reason);
    if (named && title) return {key: named, args: {title: breakable(shorten(title, NAMED_WIDTH))}};
    if (isRepeat(offer, why)) return {key: 'reason.bought_before'};
    if (REASONS.has(why.reason)) return {key: `reason.${why.reason}`};
  }
  return undefined;
}

function isRepeat({product}: Offer, why: Why): boolean {
  return why.reason === 'goes_with_history' && why.with !== undefined && why.with === product?.product_id;
}
