import {useEffect, useReducer, useRef, useState} from 'preact/hooks';
import type {Offer} from './answer.ts';
import {ask} from './client.ts';
import {consentOf, isNarrower} from './consent.ts';
import type {Host, Till} from './host.ts';
import type {Surface} from './model.ts';
import {publisher} from './publish.ts';
import {occasion, question} from './question.ts';
import {canMove, INITIAL, reduce, type Phase, type State} from './state.ts';
import {accept, undo} from './till.ts';

export interface Offers {
  state: State;
  take: (offer: Offer) => void;
  giveBack: (offer: Offer) => void;
  /** Say that the offers were rendered where the buyer can see them. */
  sawAll: (offers: Offer[]) => void;
}

/** Return the state of the offers and what the buyer can do with them; asks again when the buyer's own cart or consent changes. */
export function useOffers(host: Host, surface: Surface, till?: Till): Offers {
  const [state, dispatch] = useReducer(reduce, INITIAL);
  const [say] = useState(() => publisher(host.analytics, surface));
  const token = host.checkoutToken.value;

  const now = occasion(host);
  const consent = consentOf(host.customerPrivacy.value);
  const before = useRef(consent);
  useEffect(() => {
    if (isNarrower(consent, before.current)) dispatch({type: 'withdrawn'});
    before.current = consent;
    const asked = new AbortController();
    void ask(question(host, surface), {token: () => host.sessionToken.get(), signal: asked.signal}).then((offers) => {
      if (!asked.signal.aborted) dispatch(offers ? {type: 'answered', offers} : {type: 'unanswered'});
    });
    return () => asked.abort();
  }, [now]);

  const move = (offer: Offer, phase: Phase) => dispatch({type: 'moved', offer_id: offer.offer_id, phase});

  async function take(offer: Offer) {
    if (!till || !canMove(state, offer.offer_id, 'adding')) return;
    move(offer, 'adding');
    const phase = await accept(till, offer, host.instructions.value.discounts.canUpdateDiscountCodes);
    move(offer, phase);
    say(phase === 'added' ? 'accepted' : 'failed', offer, token);
  }

  async function giveBack(offer: Offer) {
    if (!till || !canMove(state, offer.offer_id, 'undoing')) return;
    move(offer, 'undoing');
    const phase = await undo(till, offer, host.lines.value);
    move(offer, phase);
    if (phase === 'offer') say('dismissed', offer, token);
  }

  return {
    state,
    take: (offer) => void take(offer),
    giveBack: (offer) => void giveBack(offer),
    sawAll: (offers) => offers.forEach((offer) => say('shown', offer, token)),
  };
}
