import {useEffect, useLayoutEffect, useReducer, useRef, useState} from 'preact/hooks';
import {askAgain, pause} from './again.ts';
import type {Answer} from './answer.ts';
import {begin} from './begin.ts';
import {ask, TIMEOUT_MS} from './client.ts';
import {consentOf, isNarrower, regionOf} from './consent.ts';
import {instructionsOf, isEditor, type Host, type CartApi} from './host.ts';
import {card, type CardView} from './model.ts';
import type {Offer} from './offer.ts';
import {isUnsold, type Prices} from './prices.ts';
import {publisher} from './publish.ts';
import {occasion, question, wanted, type Question} from './question.ts';
import {scene} from './scene.ts';
import {readSettings} from './settings.ts';
import {canMove, named, nameInOrder, reduce, REFUSED, type Phase, type State} from './state.ts';
import type {Surface} from './surface.ts';
import {grantOf, isTakenOff} from './takenOff.ts';
import {accept, carry, undo} from './cartChanges.ts';
import {useAhead} from './useAhead.ts';
import {useBrowser} from './useBrowser.ts';
import {held, useHeld} from './useHeld.ts';
import {PRICES_FIRST_MS, usePrices} from './usePrices.ts';

/** After this the offers that were painted ahead stay: a swap under the buyer's eyes would be worse. */
export const UPGRADE_MS = 1000;
/** So long the only box is a product's, when there is a message too. */
export const PRODUCT_FIRST_MS = 10_000;
/** So long what sold out is said to have, where another offer waits for its place. */
export const SOLD_OUT_MS = 5000;
/** Two clicks that follow each other faster are one, on what stood there before. */
export const DOUBLE_CLICK_MS = 500;
/** Of what nothing calls off. */
const GOES_ON = new AbortController().signal;

export interface Offers {
  state: State;
  /** Of the market that the buyer is in. */
  prices: Prices;
  take: (id: string) => void;
  giveBack: (id: string) => void;
  dismiss: (id: string) => void;
  /** Say that these were rendered where the buyer can see them. */
  sawAll: (cards: CardView[]) => void;
}

interface Later {
  signal: AbortSignal;
  again_s: number | undefined;
  /** Those that found no place among what was painted ahead, and those whose grant the cart did not carry in time. */
  messages: Offer[];
}

/** Return the state of the offers and what the buyer can do with them; asks again when the buyer's own cart, market or consent changes. */
export function useOffers(host: Host, surface: Surface, cartApi?: CartApi): Offers {
  const [state, dispatch] = useReducer(reduce, undefined, () => begin(host, surface, Date.now()));
  const [say] = useState(() => publisher(host.analytics, surface));
  const answer = useRef<Promise<Offer[] | null>>(Promise.resolve(null));
  const answered = useRef(false);
  /** The app has come to a decision: it rules, and nothing is painted any more. */
  const decided = useRef(false);
  const [begun] = useState(Date.now);
  const boxes = useRef(state.boxes);
  boxes.current = state.boxes;
  const carried = useRef<string>();
  const taken = useRef(new Set<string>());
  /** When the buyer last said no: what took that offer's place was not read yet. */
  const refused = useRef(0);
  const onScreen = host.extension.rendered.value;
  /** When the buyer first saw the page, once they did: Shopify renders a step before it is reached. */
  const came = useRef<number>();
  if (onScreen) came.current ??= Date.now();
  /** Only an app that the buyer lets use the visit says when to ask again: it alone is told how long they stay. */
  const mayTell = useRef(false);
  const later = useRef<Later>();
  const token = host.checkoutToken.value;
  const latest = useRef(state);
  latest.current = state;
  /** Ids of what the buyer sees. */
  const shownNow = useRef<ReadonlySet<string>>(new Set());
  const {prices, look} = usePrices(host, state.entries.map(({offer}) => offer), (known) =>
    dispatch({type: 'priced', prices: known, shown: shownNow.current}),
  );

  useAhead(host, surface, (offers) => {
    if (!decided.current && (state.loading || Date.now() - begun < UPGRADE_MS)) dispatch({type: 'painted', offers});
  });

  const now = occasion(host, taken.current);
  const room = wanted(readSettings(host.settings.value));
  const consent = consentOf(host.customerPrivacy.value);
  const region = JSON.stringify(regionOf(host.customerPrivacy.value));
  const before = useRef({consent, region});
  // Before the frame is drawn: the question is on its way while the first offer is painted.
  useLayoutEffect(() => {
    if (isEditor(host)) return undefined;
    if (isNarrower(consent, before.current.consent)) dispatch({type: 'withdrawn'});
    if (isNarrower(consent, before.current.consent) || region !== before.current.region) mayTell.current = false;
    before.current = {consent, region};
    if (room === 'nothing') return undefined;
    const given = new AbortController();
    answer.current = asking(room, given.signal);
    return () => given.abort();
  }, [now]);

  /** Ask, and show what can be shown of the answer; a question that another has overtaken answers nothing. */
  async function asking(wants: Question['wants'], signal: AbortSignal): Promise<Offer[] | null> {
    const asked = Date.now();
    const given = await put(wants, signal);
    if (signal.aborted) return null;
    const took_ms = Date.now() - asked;
    const upgrade = !answered.current;
    const fit = given && showable(given.offers);
    const shown = fit && (await ready(fit, signal, (upgrade && boxes.current ? UPGRADE_MS : TIMEOUT_MS) - took_ms));
    if (signal.aborted) return null;
    answered.current = true;
    decided.current ||= given !== null;
    dispatch(shown ? {type: 'answered', offers: shown, upgrade, late: took_ms > UPGRADE_MS} : {type: 'unanswered'});
    mayTell.current ||= given?.again_s !== undefined;
    const messages = (fit ?? []).filter((offer) => offer.kind !== 'upsell' && (upgrade || !shown?.includes(offer)));
    later.current = {signal, again_s: given?.again_s, messages};
    if (host.extension.rendered.value) void staying();
    return given && given.offers;
  }

  useBrowser(host, cartApi);
  useHeld(host, (moves) => dispatch({type: 'held', ...moves}));

  // What is for who stays begins once the buyer sees the page.
  useEffect(() => {
    if (onScreen) void staying();
  }, [onScreen]);

  /** What the last answer leaves for later: a message that could not be shown at once, and when to ask for another. */
  async function staying(): Promise<void> {
    if (!later.current) return;
    const {signal, again_s, messages} = later.current;
    later.current = undefined;
    // A bar that came in time waits with the others; one that comes late would keep a message from its place.
    const late = messages.filter(({kind}) => kind !== 'progress');
    if (messages.length && (await pause(PRODUCT_FIRST_MS, signal))) {
      const offers = await honoured(late, signal, TIMEOUT_MS);
      if (!signal.aborted) dispatch({type: 'joined', offers, waited: true});
    }
    const offers = await askAgain(again_s, () => put('message', signal), signal);
    const shown = signal.aborted ? [] : await honoured(showable(offers), signal, TIMEOUT_MS);
    if (shown.length && !signal.aborted) dispatch({type: 'joined', offers: shown});
  }

  /** Return the answer to what is in the checkout now. wants: what there is a place for. */
  function put(wants: Question['wants'], signal: AbortSignal): Promise<Answer | null> {
    const signals = mayTell.current && came.current ? {dwell_ms: Date.now() - came.current} : undefined;
    return ask({...question(host, surface), signals, wants}, {token: () => host.sessionToken.get(), signal, timeout_ms: TIMEOUT_MS});
  }

  /** Leave out what can't be shown here, whichever way of shipping the buyer goes on to choose. */
  function showable(offers: Offer[]): Offer[] {
    const here = {...scene(host, surface, Date.now()), shipping: undefined};
    return offers.filter((offer) => card({id: '', offer, phase: 'offer'}, here));
  }

  /** Leave out what can't be promised or sold to this buyer, as far as it is known in time. */
  async function ready(offers: Offer[], signal: AbortSignal, patience_ms: number): Promise<Offer[]> {
    const priced = look(offers, Math.min(patience_ms, PRICES_FIRST_MS), signal);
    const kept = await honoured(offers, signal, patience_ms);
    const known = await priced;
    return kept.filter((offer) => !isUnsold(offer, known));
  }

  /** Leave out what says that it is taken off by itself, until the cart carries its grant: it carries one. */
  async function honoured(offers: Offer[], signal: AbortSignal, patience_ms: number): Promise<Offer[]> {
    const granted = offers.filter(({discount}) => discount?.code === null && discount.grant);
    const [first] = granted;
    const discount = first?.discount;
    if (!discount?.grant) return offers;
    const inCart = await Promise.race([carries(discount.grant), pause(Math.max(patience_ms, 0), signal).then(() => false)]);
    const holds = inCart && isTakenOff(host, discount);
    return offers.filter((offer) => !granted.includes(offer) || (holds && offer === first));
  }

  /** Return whether the cart carries the grant, once it does. */
  async function carries(grant: string): Promise<boolean> {
    if (grant === (grantOf(host) ?? carried.current)) return true;
    if (!cartApi || instructionsOf(host).attributes?.canUpdateAttributes !== true || !(await carry(cartApi, grant))) return false;
    carried.current = grant;
    return true;
  }

  const move = (id: string, phase: Phase, offer?: Offer) => dispatch({type: 'moved', id, phase, offer});
  const offerOf = (id: string) => state.entries.find((entry) => entry.id === id)?.offer;

  const isIn = (offer: Offer) => held(host).includes(nameInOrder(offer));

  async function take(id: string) {
    const offer = offerOf(id);
    if (!cartApi || !offer || !canMove(state, id, 'adding')) return;
    move(id, 'adding');
    if (offer.discount?.code) taken.current.add(offer.discount.code.toUpperCase());
    const known = await withDecision(offer, answer.current);
    const isThere = () => isIn(known);
    const told = await accept(cartApi, known, instructionsOf(host).discounts?.canUpdateDiscountCodes === true, isThere);
    // What was given up may have been done all the same.
    const phase = isThere() ? 'added' : told;
    move(id, phase, known);
    say('shown', known, token);
    say(phase === 'added' ? 'accepted' : 'failed', known, token);
    if (REFUSED.has(phase) && (await pause(SOLD_OUT_MS, GOES_ON)) && waits()) move(id, 'dismissed');
  }

  /** Return whether a product could take the place of one that goes. */
  function waits(): boolean {
    const here = scene(host, surface, Date.now());
    return latest.current.entries.some((each) => each.phase === 'offer' && each.offer.product && !shownNow.current.has(each.id) && card(each, here));
  }

  async function giveBack(id: string) {
    const offer = offerOf(id);
    if (!cartApi || !offer || !canMove(state, id, 'undoing')) return;
    move(id, 'undoing');
    const told = await undo(cartApi, offer, () => host.lines.value);
    const phase = isIn(offer) ? told : 'offer';
    move(id, phase);
    if (phase === 'offer') say('dismissed', offer, token);
  }

  async function dismiss(id: string) {
    const offer = offerOf(id);
    if (!offer || Date.now() - refused.current < DOUBLE_CLICK_MS || !canMove(state, id, 'dismissed')) return;
    refused.current = Date.now();
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
    prices,
    sawAll: (cards) => {
      shownNow.current = new Set(cards.map(({id}) => id));
      for (const each of cards) if (!('button' in each && each.button?.disabled)) say('shown', each.offer, token);
    },
  };
}

/** Return the offer as its decision names it. One that was painted ahead waits for the answer, which is on its way. */
async function withDecision(offer: Offer, answer: Promise<Offer[] | null>): Promise<Offer> {
  if (offer.decision_id) return offer;
  const decided = named(offer, await answer);
  return decided ? {...offer, decision_id: decided.decision_id, offer_id: decided.offer_id} : offer;
}
