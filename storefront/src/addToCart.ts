/** What taking an offer does to the shopper's cart. */
import type {Offer} from '../../extensions/checkout-offers/src/offer.ts';
import {text} from '../../extensions/checkout-offers/src/parse.ts';
import {DECISION, OFFER} from '../../extensions/checkout-offers/src/question.ts';
import type {Page} from './page.ts';
import {inTime} from './patience.ts';
import {shopify, type UpdateCart} from './shopify.ts';

/** Themes whose cart Shopify's own action brings up to date in the page; with another it loads the page anew. */
const KNOWN_THEMES = '#cart-icon-bubble, cart-items-component, cart-drawer-component';

/** What is said of a line that there is not enough for, of whichever line of the cart. */
const LACKING = /OUT_OF_STOCK|NOT_ENOUGH_STOCK/;

/** So long the cart may take: the shopper asked for it, and waits longer than a page does. */
const PATIENCE_MS = 10_000;

/** Offers whose adding nobody answered. */
const unsure = new Set<string>();

/** Offers that are being added: one that was given up may still come. */
const coming = new Map<string, Promise<string | null>>();

/**
 * Put the offer's product into the cart, its line marked with the decision behind it. Return null once it is there, else
 * what the shop says against it in the shopper's language, which may be nothing: ''.
 */
export async function addToCart(page: Page, offer: Offer): Promise<string | null> {
  const request = new AbortController();
  try {
    // It may have been done since.
    if (unsure.has(offer.offer_id) && (await isIn(page, offer))) return null;
    const added = coming.get(offer.offer_id) ?? add(page, offer, request.signal).finally(() => coming.delete(offer.offer_id));
    coming.set(offer.offer_id, added);
    return await Promise.race([added, late(request)]);
  } catch {
    unsure.add(offer.offer_id);
    return (await isIn(page, offer).catch(() => false)) ? null : '';
  }
}

function add(page: Page, offer: Offer, signal: AbortSignal): Promise<string | null> {
  const action = themeAction();
  return action ? addByAction(action, page, offer) : addByAjax(page, offer, signal);
}

/** Reject once the shopper has waited long enough, and give up the request. */
function late(request: AbortController): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => {
      request.abort();
      reject(new Error('No answer in time'));
    }, PATIENCE_MS);
  });
}

/** Return whether the cart has the offer: what nobody answered may have been done. Throws where the cart can't be read. */
async function isIn({routes}: Page, {offer_id}: Offer): Promise<boolean> {
  const answer = await fetch(`${routes.cart}.js`, {headers: {Accept: 'application/json'}, signal: inTime()});
  const {items} = (await answer.json()) as {items: {properties?: Record<string, string> | null}[]};
  return items.some(({properties}) => properties?.[OFFER] === offer_id);
}

/** Return the theme's way to change the cart, after which its count and its drawer are as the cart is. */
function themeAction(): UpdateCart | undefined {
  const action = shopify().actions?.updateCart;
  return action?.isDefault() === false || document.querySelector(KNOWN_THEMES) ? action : undefined;
}

/** What the cart declines is told, not thrown, in words of no language that is promised; of what has sold out it is only warned. */
async function addByAction(action: UpdateCart, {words}: Page, offer: Offer): Promise<string | null> {
  const merchandiseId = offer.product!.variant_id;
  const attributes = Object.entries(marks(offer)).map(([key, value]) => ({key, value}));
  const told = await action({lines: [{merchandiseId, quantity: 1, attributes}]});
  if (told?.userErrors?.length) return '';
  const isWarned = told?.warnings?.some(({code}) => LACKING.test(code ?? ''));
  return !isWarned || told?.cart?.lines?.nodes.some(({merchandise}) => merchandise?.id === merchandiseId) ? null : (words['status.sold_out'] ?? '');
}

async function addByAjax({routes}: Page, offer: Offer, signal: AbortSignal): Promise<string | null> {
  const item = {id: Number(offer.product!.variant_id.split('/').pop()), quantity: 1, properties: marks(offer)};
  const answer = await fetch(`${routes.cart_add}.js`, {
    method: 'POST',
    headers: {'Content-Type': 'application/json', Accept: 'application/json'},
    body: JSON.stringify({items: [item]}),
    signal,
  });
  if (answer.ok) return null;
  const {description} = (await answer.json()) as {description?: unknown};
  return text(description) ?? '';
}

function marks({decision_id = '', offer_id}: Offer): Record<string, string> {
  return {[DECISION]: decision_id, [OFFER]: offer_id};
}
