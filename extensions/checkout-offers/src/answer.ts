import {parseOffer, type Offer} from './offer.ts';
import {isRecord, text} from './parse.ts';

/** Return the offers of an answer, without the broken ones; null when it is no answer at all. */
export function parseAnswer(body: unknown): Offer[] | null {
  if (!isRecord(body)) return null;
  const decisionId = text(body.decision_id);
  if (!decisionId || !Array.isArray(body.offers)) return null;
  return body.offers.flatMap((each) => parseOffer(each, decisionId) ?? []);
}
