import type {Offer} from './offer.ts';
import {isUnsold, type Prices} from './prices.ts';

/** Where one offer stands with the buyer. */
export type Phase = 'offer' | 'adding' | 'added' | 'undoing' | 'stuck' | 'failed' | 'sold_out' | 'unavailable' | 'dismissed';

export interface Entry {
  /** Stays as it is when the offer gets the name that its decision gave it. */
  id: string;
  offer: Offer;
  phase: Phase;
  /** The buyer has done something with it: it keeps its place. */
  touched?: true;
  /** It joined those that were there already, so it may move none of them. */
  late?: true;
}

export interface State {
  /** True until the first answer, or the first after a withdrawal, or the failure to get it. */
  loading: boolean;
  entries: Entry[];
  /** How many offers were painted ahead: what takes their place is as many, so that nothing moves. */
  boxes?: number;
  /** True once a product has had its time: a message that found no box may then have its place. */
  waited?: true;
}

export type Action =
  /** `upgrade`: the answer to what was painted ahead; `late`: past its budget, so only its names are taken. */
  | {type: 'answered'; offers: Offer[]; upgrade?: boolean; late?: boolean}
  | {type: 'unanswered'}
  /** What was put ahead, which came a moment after the first render. */
  | {type: 'painted'; offers: Offer[]}
  /** A message for who has stayed a while. `waited`: it was in an answer that came too late, or found no box. */
  | {type: 'joined'; offers: Offer[]; waited?: true}
  | {type: 'withdrawn'}
  /** Prices of the buyer's market have come. shown: ids of what is on the screen, where nothing may move. */
  | {type: 'priced'; prices: Prices; shown: ReadonlySet<string>}
  /** Lines of these offers, or these codes in capitals, came into the order or left it, whoever moved them. */
  | {type: 'held'; come: string[]; gone: string[]}
  /** `offer`: as its decision names it, where that was only just found out. */
  | {type: 'moved'; id: string; phase: Phase; offer?: Offer};

export const INITIAL: State = {loading: true, entries: []};

/** What may follow each phase. Anything else is a late or a double click, and is ignored. */
const NEXT: Record<Phase, Phase[]> = {
  // A code may be in the order before it was taken here.
  offer: ['adding', 'undoing', 'dismissed'],
  adding: ['added', 'failed', 'sold_out', 'unavailable'],
  added: ['undoing'],
  undoing: ['offer', 'added', 'stuck'],
  // It could not be taken out.
  stuck: ['undoing'],
  failed: ['adding', 'dismissed'],
  sold_out: ['dismissed'],
  unavailable: ['dismissed'],
  dismissed: [],
};

/** What the shop does not let the buyer have: no second try changes that. */
export const REFUSED: ReadonlySet<Phase> = new Set<Phase>(['sold_out', 'unavailable']);

/** What is in the order. */
export const IN_ORDER: ReadonlySet<Phase> = new Set<Phase>(['added', 'undoing', 'stuck']);

/** What the buyer has put into the order, or did not want, stays so whatever becomes of the consent. */
const SETTLED: ReadonlySet<Phase> = new Set<Phase>(['adding', 'dismissed', ...IN_ORDER]);

/** Return the state of a checkout that paints these at once. */
export function painted(offers: Offer[]): State {
  return offers.length ? {loading: true, entries: offers.map(entry), boxes: offers.length} : INITIAL;
}

/** Return the state after an action; with no usable answer, what was there before. */
export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case 'answered':
      if (action.upgrade && state.boxes !== undefined) return upgraded(state, action.offers, action.late);
      return {loading: false, entries: merge(state.entries, action.offers)};
    case 'unanswered':
      return {...state, loading: false};
    case 'painted':
      return state.entries.length ? state : {...painted(action.offers), loading: state.loading};
    case 'joined':
      return joined(action.waited ? {...state, waited: true} : state, action.offers);
    case 'withdrawn':
      return {loading: true, entries: state.entries.filter(({phase}) => SETTLED.has(phase))};
    case 'priced':
      return {...state, entries: state.entries.filter((each) => action.shown.has(each.id) || !isLeft(each, action.prices))};
    case 'held':
      return {...state, entries: state.entries.map((each) => ({...each, phase: phaseNow(each, action)}))};
    case 'moved':
      return {...state, entries: state.entries.map((entry) => move(entry, action))};
  }
}

export function canMove(state: State, id: string, phase: Phase): boolean {
  return state.entries.some((entry) => entry.id === id && NEXT[entry.phase].includes(phase));
}

/** Return the answer's offer of the same variant, which is the one that its decision knows. */
export function named(offer: Offer, answer: readonly Offer[] | null): Offer | undefined {
  return answer?.find(({product}) => product && product.variant_id === offer.product?.variant_id);
}

/** Return what the order has of an offer that was taken: a line marked with its id, else its code in capitals. */
export function nameInOrder({offer_id, product, discount}: Offer): string {
  return product ? offer_id : (discount?.code?.toUpperCase() ?? '');
}

function entry(offer: Offer): Entry {
  return {id: `${offer.decision_id ?? ''} ${offer.offer_id}`, offer, phase: 'offer'};
}

function move(entry: Entry, {id, phase, offer = entry.offer}: Extract<Action, {type: 'moved'}>): Entry {
  return entry.id === id && NEXT[entry.phase].includes(phase) ? {...entry, phase, offer, touched: true} : entry;
}

/** What can't be sold to this buyer is not to come up when another goes. */
function isLeft({offer, phase}: Entry, prices: Prices): boolean {
  return phase === 'offer' && isUnsold(offer, prices);
}

/** What was taken out elsewhere is an offer again, what came in after it was given up is there; else its own change tells. */
function phaseNow({offer, phase}: Entry, {come, gone}: Extract<Action, {type: 'held'}>): Phase {
  const name = nameInOrder(offer);
  if ((phase === 'added' || phase === 'stuck') && gone.includes(name)) return 'offer';
  return (phase === 'failed' || REFUSED.has(phase)) && come.includes(name) ? 'added' : phase;
}

/**
 * Return the state with the answer's offers in the boxes that were painted ahead; those that it leaves empty stay
 * as they are. Once the buyer has touched one, or the answer is late, only names are taken. An answer without
 * offers ends what was painted: this buyer is to see none.
 */
function upgraded(state: State, offers: Offer[], late = false): State {
  const done = {...state, loading: false};
  if (late || state.entries.some(({phase}) => phase !== 'offer')) return {...done, entries: state.entries.map((each) => renamed(each, offers))};
  const left = offers.length ? state.entries.filter((each) => !named(each.offer, offers)) : [];
  return {...done, entries: [...offers.map(entry), ...left]};
}

/** Return the state with the first of the offers that is not there yet. */
function joined(state: State, offers: Offer[]): State {
  const fresh = unknown(offers, state.entries).map(entry).filter(({id}) => !state.entries.some((each) => each.id === id));
  return {...state, entries: [...state.entries, ...fresh.slice(0, 1).map((each) => ({...each, late: true as const}))]};
}

function renamed(entry: Entry, offers: Offer[]): Entry {
  const offer = entry.offer.decision_id ? undefined : named(entry.offer, offers);
  return offer ? {...entry, offer: {...entry.offer, decision_id: offer.decision_id, offer_id: offer.offer_id}} : entry;
}

/** Return what an offer is known again by in another answer: what it is of, or whose message it is, beside its own id. */
function namesOf({offer_id, campaign, product, discount}: Offer): string[] {
  const others = product ? [product.variant_id] : [campaign && `campaign ${campaign}`, discount?.code];
  return [offer_id, ...others.flatMap((each) => each || [])];
}

/** Return the offers that are none of what the buyer has touched. */
function unknown(offers: Offer[], entries: Entry[]): Offer[] {
  const known = new Set(entries.filter(({phase}) => phase !== 'offer').flatMap(({offer}) => namesOf(offer)));
  return offers.filter((offer) => !namesOf(offer).some((name) => known.has(name)));
}

/** Return the entries that the buyer has touched, in their places, then the new offers. */
function merge(entries: Entry[], offers: Offer[]): Entry[] {
  const touched = entries.filter((entry) => entry.phase !== 'offer').map(({late: _, ...each}) => each);
  return [...touched, ...unknown(offers, entries).map(entry)];
}
