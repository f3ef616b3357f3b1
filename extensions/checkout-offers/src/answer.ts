import {parseOffer, type Offer} from './offer.ts';
import {isRecord, number, text} from './parse.ts';

/** What the app says to a question. */
export interface Answer {
  offers: Offer[];
  /** After how many seconds it may have something more to say; absent where it will not. */
  again_s?: number;
}

/** The arm of nobody: something of the app's failed, and that says nothing of what the buyer is to see. */
const NO_DECISION = 'none';

/** Return the answer, without the offers that are broken; null when it is no answer at all, or the app came to no decision. */
export function parseAnswer(body: unknown): Answer | null {
  if (!isRecord(body)) return null;
  const decisionId = text(body.decision_id);
  if (!decisionId || !Array.isArray(body.offers) || body.arm === NO_DECISION) return null;
  const again_s = number(body.again_s);
  return {offers: body.offers.flatMap((each) => parseOffer(each, decisionId) ?? []), ...(again_s && again_s > 0 && {again_s})};
}
