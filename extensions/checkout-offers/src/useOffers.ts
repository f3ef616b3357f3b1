import {useLayoutEffect, useReducer, useRef, useState} from 'preact/hooks';
import {askAgain, pause} from './again.ts';
import type {Answer} from './answer.ts';
import {begin} from './begin.ts';
import {ask, TIMEOUT_MS} from './client.ts';
import {consentOf, isNarrower} from './consent.ts';
import {instructionsOf, isEditor, type Host, type Till} from './host.ts';
import {card} from './model.ts';
import type {Offer} from './offer.ts';
import {publisher} from './publish.ts';
import {occasion, question} from './question.ts';
import {scene} from './scene.ts';
import {canMove, named, reduce, type Phase, type State} from './state.ts';
import type {Surface} from './surface.ts';
import {accept, carry, undo} from './till.ts';

/** After this the offers that were painted ahead stay: a swap under the buyer's eyes would be worse. */
export const UPGRADE_MS = 1000;
/** So long the only box is a product's, when there is a message too. */
export const PRODUCT_FIRST_MS = 10_000;

export interface Offers {
  state: State;
  take: (id: string) => void;
  giveBack: (id: string) => void;
  dismiss: (id: string) => void;
  /** Say that the offers were rendered where the buyer can see them. */
  sawAll: (offers: Offer[]) => void;
}

/** Return the state of the offers and what the buyer can do with them; asks again when the buyer's own cart or consent changes. */
export function useOffers(host: Host, surface: Surface, till?: Till): Offers {
  const [state, dispatch] = useReducer(reduce, undefined, () => begin(host, surface, Date.now()));
  const [say] = useState(() => publisher(host.analytics, surface));
  const answer = useRef<Promise<Offer[] | null>>(Promise.resolve(null));
  const asked = useRef(false);
  const carried = useRef<string>();
  const came = useRef(Date.now());
  /** Only an app that the buyer lets use the visit says when to ask again: it alone is told how long they stay. */
  const mayTell = useRef(false);
  const token = host.checkoutToken.value;

  const now = occasion(host);
  const consent = consentOf(host.customerPrivacy.value);
  const before = useRef(consent);
  // Before the frame is drawn: the question is on its way while the first offer is painted.
  useLayoutEffect(() => {
    if (isEditor(host)) return undefined;
    if (isNarrower(consent, before.current)) {
      mayTell.current = false;
      dispatch({type: 'withdrawn'});
    }
    before.current = consent;
    const given = new AbortController();
    const upgrade = !asked.current;
    asked.current = true;
    answer.current = asking(given.signal, upgrade);
    return () => given.abort();
  }, [now]);

  /** Ask, and show what can be shown of the answer; a question that another has overtaken answers nothing. */
  async function asking(signal: AbortSignal, upgrade: boolean): Promise<Offer[] | null> {
    const begun = Date.now();
    const given = await put(signal);
    if (signal.aborted) return null;
    const late = Date.now() - begun > UPGRADE_MS;
    const shown = given && (await showable(given.offers));
    if (signal.aborted) return null;
    dispatch(shown ? {type: 'answered', offers: shown, upgrade, late} : {type: 'unanswered'});
    void askingAgain(given?.again_s, signal);
    if (shown && upgrade) void letting(shown, signal);
    return given && given.offers;
  }

  /** Let a message join that was answered and could not be shown at once. */
  async function letting(shown: Offer[], signal: AbortSignal): Promise<void> {
    const messages = shown.filter(({kind}) => kind !== 'upsell');
    if (messages.length && (await pause(PRODUCT_FIRST_MS, signal))) dispatch({type: 'joined', offers: messages, waited: true});
  }

  /** While the buyer changes nothing, ask for a message alone when the app says so. */
  async function askingAgain(after_s: number | undefined, signal: AbortSignal): Promise<void> {
    mayTell.current ||= after_s !== undefined;
    const shown = await showable(await askAgain(after_s, () => put(signal, 'message'), signal));
    if (shown.length && !signal.aborted) dispatch({type: 'joined', offers: shown});
  }

  function put(signal: AbortSignal, wants?: 'message'): Promise<Answer | null> {
    const signals = mayTell.current ? {dwell_ms: Date.now() - came.current} : undefined;
    return ask({...question(host, surface), signals, wants}, {token: () => host.sessionToken.get(), signal, timeout_ms: TIMEOUT_MS});
  }

  /** Leave out what can't be shown here, and what says that it is taken off and would not be. */
  function showable(offers: Offer[]): Promise<Offer[]> {
    const here = scene(host, surface, Date.now());
    return honoured(offers.filter((offer) => card({id: '', offer, phase: 'offer'}, here)));
  }

  /** Leave out what says that it is taken off by itself while the cart can't carry its grant: it carries one. */
  async function honoured(offers: Offer[]): Promise<Offer[]> {
    const granted = offers.filter(({discount}) => discount?.code === null && discount.grant);
    const [first] = granted;
    const grant = first?.discount?.grant;
    if (!grant) return offers;
    const can = instructionsOf(host).attributes?.canUpdateAttributes === true;
    const holds = grant === carried.current || (till && can && (await carry(till, grant)));
    if (holds) carried.current = grant;
    return offers.filter((offer) => !granted.includes(offer) || (holds && offer === first));
  }

  const move = (id: string, phase: Phase, offer?: Offer) => dispatch({type: 'moved', id, phase, offer});
  const offerOf = (id: string) => state.entries.find((entry) => entry.id === id)?.offer;

  async function take(id: string) {
    const offer = offerOf(id);
    if (!till || !offer || !canMove(state, id, 'adding')) return;
    move(id, 'adding');
    const known = await withDecision(offer, answer.current);
    const phase = await accept(till, known, instructionsOf(host).discounts?.canUpdateDiscountCodes === true);
    move(id, phase, known);
    say('shown', known, token);
    say(phase === 'added' ? 'accepted' : 'failed', known, token);
  }

  async function giveBack(id: string) {
    const offer = offerOf(id);
    if (!till || !offer || !canMove(state, id, 'undoing')) return;
    move(id, 'undoing');
    const phase = await undo(till, offer, host.lines.value);
    move(id, phase);
    if (phase === 'offer') say('dismissed', offer, token);
  }

  async function dismiss(id: string) {
    const offer = offerOf(id);
    if (!offer || !canMove(state, id, 'dismissed')) return;
    move(id, 'dismissed');
    const known = await withDecision(offer, answer.current);
    say('shown', known, token);
    say('dismissed', known, token);
  }

  return {
    state,
    take: (id) => void take(id),
    giveBack: (id) => void giveBack(id),
    dismiss: (id) => void dismiss(id),
    sawAll: (offers) => offers.forEach((offer) => say('shown', offer, token)),
  };
}

/** Return the offer as its decision names it. One that was painted ahead waits for the answer, which is on its way. */
async function withDecision(offer: Offer, answer: Promise<Offer[] | null>): Promise<Offer> {
  if (offer.decision_id) return offer;
  const decided = named(offer, await answer);
  return decided ? {...offer, decision_id: decided.decision_id, offer_id: decided.offer_id} : offer;
}
