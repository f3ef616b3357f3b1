import type {CartLine} from '@shopify/ui-extensions/checkout';
import type {Offer} from './answer.ts';
import type {Till} from './host.ts';
import {DECISION, OFFER} from './question.ts';
import type {Phase} from './state.ts';

type Result = {type: 'success'} | {type: 'error'; message: string};
type Change = () => Promise<Result>;

const RETRY_AFTER_MS = 250;
/** A change that takes longer is given up, so that those behind it get their turn. */
export const PATIENCE_MS = 10_000;
const LATE: Result = {type: 'error', message: 'No answer in time'};

let last: Promise<unknown> = Promise.resolve();

/** Return the phase after trying to take the offer: its product first, then its discount. */
export async function accept(till: Till, offer: Offer, canDiscount: boolean): Promise<Phase> {
  const {product, discount} = offer;
  const attributes = [{key: DECISION, value: offer.decision_id}, {key: OFFER, value: offer.offer_id}];
  if (product) {
    const result = await attempt(() =>
      till.applyCartLinesChange({type: 'addCartLine', merchandiseId: product.variant_id, quantity: 1, attributes}),
    );
    if (result.type === 'error') return isSoldOut(result.message) ? 'sold_out' : 'failed';
  }
  if (!discount || !canDiscount) return product ? 'added' : 'failed';
  const result = await attempt(() => till.applyDiscountCodeChange({type: 'addDiscountCode', code: discount.code}));
  return product || result.type === 'success' ? 'added' : 'failed';
}

/** Return the phase after taking the offer's line out again; a line that is gone already counts as out. */
export async function undo(till: Till, offer: Offer, lines: readonly CartLine[]): Promise<Phase> {
  const line = lines.find(({attributes}) => attributes.some(({key, value}) => key === OFFER && value === offer.offer_id));
  if (!line) return 'offer';
  const result = await attempt(() => till.applyCartLinesChange({type: 'removeCartLine', id: line.id, quantity: 1}));
  return result.type === 'success' ? 'offer' : 'added';
}

/** Return the result of a change, tried twice, once no other change of ours is under way. */
function attempt(change: Change): Promise<Result> {
  const turn = last.then(() => twice(change));
  last = turn;
  return turn;
}

async function twice(change: Change): Promise<Result> {
  const first = await settle(change);
  // A late change may still be made: a second one could add the product twice.
  if (first.type === 'success' || first === LATE || isSoldOut(first.message)) return first;
  await after(RETRY_AFTER_MS);
  return settle(change);
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
function isSoldOut(message: string): boolean {
  return /sold.?out|out of stock|not enough (stock|inventory)|insufficient|unavailable|not available/i.test(message);
}
