import type {Ahead} from './aheadForm.ts';
import {assign, bucket} from './bucket.ts';
import type {Consent} from './consent.ts';
import type {Offer} from './offer.ts';

/** Who is at the checkout, as far as it can tell. */
export interface Buyer {
  /** Product GIDs, in the order of the lines. */
  cart: readonly string[];
  checkout_token?: string;
  /** The browser, where the cart names it. */
  client_id?: string;
  /** The customer's number; null is a guest, undefined where the checkout may not tell. */
  customer?: string | null;
  consent: Pick<Consent, 'analytics' | 'preferences' | 'marketing'>;
}

const MOST = 3;

/**
 * Return what to paint before any answer, best first: at most three offers, none of the cart. Who is held
 * out, or whose arm can't be told, is painted nothing. The same rules as the app's own: docs/offers-ahead.md.
 */
export function paint(ahead: Ahead, buyer: Buyer): Offer[] {
  const arm = armOf(ahead, buyer);
  const rest = ahead.offers.filter((offer) => !isIn(buyer.cart, offer));
  if (arm === 'static') return rest.slice(0, MOST);
  if (arm !== 'personalised') return [];
  const pinned = rest.filter(({why}) => why[0]?.reason === 'merchant_pick').slice(0, 1);
  return once([...pinned, ...fused(lists(ahead, buyer), buyer.cart), ...rest]).slice(0, MOST);
}

/** Return the arm that every unit this buyer could be assigned by is in; undefined where they differ. */
function armOf(ahead: Ahead, buyer: Buyer): string | undefined {
  const {checkout_token, customer, consent} = buyer;
  const refused = consent.preferences === false || consent.marketing === false;
  if (!checkout_token || (customer === undefined && !refused)) return undefined;
  const units = [...guests(buyer), ...(customer ? [`customer:${customer}`] : [])];
  if (units.some((unit) => isElsewhere(ahead, unit))) return undefined;
  const arms = new Set(units.map((unit) => assign({...ahead, ramp: 1}, unit)));
  return arms.size === 1 ? ([...arms][0] ?? undefined) : undefined;
}

/** Return what a guest may be assigned by: the browser with analytics, else the checkout; either where the shop's policy has to say. */
function guests({checkout_token, client_id, consent}: Buyer): string[] {
  const browser = client_id && consent.analytics !== false ? [`client:${client_id}`] : [];
  return browser.length && consent.analytics ? browser : [...browser, `checkout:${checkout_token}`];
}

/** Return whether a further experiment has reached the unit. */
function isElsewhere({others}: Ahead, unit: string): boolean {
  return others.some(({salt, ramp}) => ramp >= 1 || bucket(`${salt} ramp`, unit) < ramp);
}

/** Return the list of each product in the cart, then the customer's where the visitor said yes to both purposes. */
function lists({products, customer}: Ahead, {cart, consent}: Buyer): Offer[][] {
  const ofCart = [...new Set(cart)].flatMap((id) => (products[id] ? [products[id]] : []));
  return consent.preferences && consent.marketing ? [...ofCart, customer] : ofCart;
}

/** Return the offers of all lists by the sum of 1 / (place + 1), each told as where it stands highest. */
function fused(all: Offer[][], cart: readonly string[]): Offer[] {
  const found = new Map<string, {score: number; place: number; offer: Offer}>();
  for (const list of all) {
    list.forEach((offer, place) => {
      if (isIn(cart, offer)) return;
      const before = found.get(productOf(offer));
      const score = (before?.score ?? 0) + 1 / (place + 1);
      const best = before && before.place <= place ? before : {place, offer};
      found.set(productOf(offer), {...best, score});
    });
  }
  return [...found.values()].sort((one, other) => other.score - one.score).map(({offer}) => offer);
}

function once(offers: Offer[]): Offer[] {
  const seen = new Set<string>();
  return offers.filter((offer) => !seen.has(productOf(offer)) && seen.add(productOf(offer)));
}

function isIn(cart: readonly string[], offer: Offer): boolean {
  return cart.includes(productOf(offer));
}

function productOf({product}: Offer): string {
  return product?.product_id ?? '';
}
