import type {Offer} from './answer.ts';

/** Where one offer stands with the buyer. */
export type Phase = 'offer' | 'adding' | 'added' | 'undoing' | 'failed' | 'sold_out';

export interface Entry {
  offer: Offer;
  phase: Phase;
}

export interface State {
  /** True until the first answer, or the first after a withdrawal, or the failure to get it. */
  loading: boolean;
  entries: Entry[];
}

export type Action =
  | {type: 'answered'; offers: Offer[]}
  | {type: 'unanswered'}
  | {type: 'withdrawn'}
  | {type: 'moved'; offer_id: string; phase: Phase};

export const INITIAL: State = {loading: true, entries: []};

/** What may follow each phase. Anything else is a late or a double click, and is ignored. */
const NEXT: Record<Phase, Phase[]> = {
  offer: ['adding'],
  adding: ['added', 'failed', 'sold_out'],
  added: ['undoing'],
  undoing: ['offer', 'added'],
  failed: ['adding'],
  sold_out: [],
};

/** What the buyer has put into the order stays theirs, whatever becomes of the consent it was offered under. */
const TAKEN: ReadonlySet<Phase> = new Set<Phase>(['adding', 'added', 'undoing']);

/** Return the state after an action; with no usable answer, what was there before. */
export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case 'answered':
      return {loading: false, entries: merge(state.entries, action.offers)};
    case 'unanswered':
      return {...state, loading: false};
    case 'withdrawn':
      return {loading: true, entries: state.entries.filter(({phase}) => TAKEN.has(phase))};
    case 'moved':
      return {...state, entries: state.entries.map((entry) => move(entry, action.offer_id, action.phase))};
  }
}

export function canMove(state: State, offer_id: string, phase: Phase): boolean {
  return state.entries.some((entry) => entry.offer.offer_id === offer_id && NEXT[entry.phase].includes(phase));
}

function move(entry: Entry, offer_id: string, phase: Phase): Entry {
  const allowed = entry.offer.offer_id === offer_id && NEXT[entry.phase].includes(phase);
  return allowed ? {...entry, phase} : entry;
}

/** Return the entries that the buyer has touched, in their places, then the new offers. */
function merge(entries: Entry[], offers: Offer[]): Entry[] {
  const touched = entries.filter((entry) => entry.phase !== 'offer');
  const known = new Set(touched.flatMap(({offer}) => [offer.offer_id, offer.product?.variant_id]));
  const fresh = offers.filter(({offer_id, product}) => !known.has(offer_id) && !(product && known.has(product.variant_id)));
  return [...touched, ...fresh.map((offer): Entry => ({offer, phase: 'offer'}))];
}
