import {BROWSER} from './browser.ts';
import type {Line, CartApi} from './host.ts';
import type {Offer} from './offer.ts';
import {DECISION, GRANT, OFFER} from './question.ts';
import type {Phase} from './state.ts';

type Result = {type: 'success'} | {type: 'error'; message: string};
type Change = () => Promise<Result>;

const RETRY_AFTER_MS = 250;
/** A change that takes longer is given up, so that those behind it get their turn. */
export const PATIENCE_MS = 10_000;
const LATE: Result = {type: 'error', message: 'No answer in time'};

let last: Promise<unknown> = Promise.resolve();

/** Lines that are being added, by their offers: one that was given up may still come. */
const coming = new Map<string, Promise<Result>>();

/**
 * Return the phase after trying to take the offer: its product, else its discount's code.
 * isThere: whether the order has it, which a change may have done that was said to have failed.
 */
export async function accept(cartApi: CartApi, offer: Offer, canDiscount: boolean, isThere = () => false): Promise<Phase> {
  const {product, discount} = offer;
  if (product) {
    const merchandiseId = product.variant_id;
    const result = await attempt(
      () => once(offer.offer_id, () => cartApi.applyCartLinesChange({type: 'addCartLine', merchandiseId, quantity: 1, attributes: marks(offer)})),
      isThere,
    );
    return result.type === 'success' ? 'added' : (refusalOf(result.message) ?? 'failed');
  }
  const code = canDiscount ? discount?.code : undefined;
  if (!code) return 'failed';
  const result = await attempt(() => cartApi.applyDiscountCodeChange({type: 'addDiscountCode', code}));
  return result.type === 'success' ? 'added' : 'failed';
}

/**
 * Return the phase after taking back what the offer brought; what is gone already counts as taken back.
 * lines: as they are when its turn comes, since Shopify may give each a new id with any change before it.
 */
export async function undo(cartApi: CartApi, {offer_id, product, discount}: Offer, lines: () => readonly Line[]): Promise<Phase> {
  const code = !product && discount?.code;
  if (code) return takeBack(() => cartApi.applyDiscountCodeChange({type: 'removeDiscountCode', code}));
  const isOf = ({key, value}: Line['attributes'][number]) => key === OFFER && value === offer_id;
  return takeBack(async () => {
    const line = lines().find(({attributes}) => attributes.some(isOf));
    return line ? cartApi.applyCartLinesChange({type: 'removeCartLine', id: line.id, quantity: line.quantity}) : {type: 'success'};
  });
}

/** Return whether the cart carries the grant now, by which the shop takes a discount off. */
export async function carry(cartApi: CartApi, grant: string): Promise<boolean> {
  const result = await attempt(() => cartApi.applyAttributeChange({type: 'updateAttribute', key: GRANT, value: grant}));
  return result.type === 'success';
}

/** Take the browser's name off the order. What can't be changed any more stays, and the app forgets it all the same. */
export async function unname(cartApi: CartApi): Promise<void> {
  await attempt(() => cartApi.applyAttributeChange({type: 'removeAttribute', key: BROWSER}));
}

async function takeBack(change: Change): Promise<Phase> {
  return (await attempt(change)).type === 'success' ? 'offer' : 'stuck';
}

/** What the line is known by again: the offer, and the decision behind it where there is one. */
function marks({decision_id, offer_id}: Offer): {key: string; value: string}[] {
  const decision = decision_id ? [{key: DECISION, value: decision_id}] : [];
  return [...decision, {key: OFFER, value: offer_id}];
}

/** Return the result of adding the offer's line. Who tries again before it is there waits for the same one: a second would double it. */
function once(offer_id: string, change: Change): Promise<Result> {
  const made = coming.get(offer_id) ?? change().finally(() => coming.delete(offer_id));
  coming.set(offer_id, made);
  return made;
}

/** Return the result of a change, tried twice, once no other change of ours is under way. */
function attempt(change: Change, isThere = () => false): Promise<Result> {
  const turn = last.then(() => twice(change, isThere));
  last = turn;
  return turn;
}

async function twice(change: Change, isThere: () => boolean): Promise<Result> {
  const first = await settle(change);
  // A late change may still be made: a second one could add the product twice.
  if (first.type === 'success' || first === LATE || refusalOf(first.message)) return first;
  await after(RETRY_AFTER_MS);
  return isThere() ? {type: 'success'} : settle(change);
}

async function settle(change: Change): Promise<Result> {
  try {
    return await Promise.race([change(), after(PATIENCE_MS).then(() => LATE)]);
  } catch (error) {
    return {type: 'error', message: String(error)};
  }
}

function after(delay_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delay_ms));
}

/** Shopify's message is for developers, never shown, always English; it is the only sign of the cause. */
function refusalOf(message: string): 'sold_out' | 'unavailable' | undefined {
  if (/sold.?out|out of stock|not enough (stock|inventory)|insufficient/i.test(message)) return 'sold_out';
  return /unavailable|not available/i.test(message) ? 'unavailable' : undefined;
}
