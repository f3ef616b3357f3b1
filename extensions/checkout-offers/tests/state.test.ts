import {describe, expect, test} from 'vitest';
import {canMove, INITIAL, reduce, type Phase, type State} from '../src/state.ts';
import {upsell} from './offers.ts';

const offered = reduce(INITIAL, {type: 'answered', offers: [upsell()]});
const moved = (state: State, ...phases: Phase[]) =>
  phases.reduce((before, phase) => reduce(before, {type: 'moved', offer_id: 'o1', phase}), state);
const phaseOf = (state: State) => state.entries[0]?.phase;

describe('the state of the offers', () => {
  test('it begins loading and empty', () => {
    expect(INITIAL).toEqual({loading: true, entries: []});
  });

  test('an answer ends the loading', () => {
    expect(offered).toEqual({loading: false, entries: [{offer: upsell(), phase: 'offer'}]});
  });

  test('no answer leaves what was there before', () => {
    expect(reduce(offered, {type: 'unanswered'})).toEqual(offered);
    expect(reduce(INITIAL, {type: 'unanswered'})).toEqual({loading: false, entries: []});
  });

  test('a withdrawal leaves what is in the order, and waits for a new answer', () => {
    expect(reduce(offered, {type: 'withdrawn'})).toEqual({loading: true, entries: []});
    expect(reduce(moved(offered, 'adding', 'failed'), {type: 'withdrawn'}).entries).toEqual([]);
    expect(phaseOf(reduce(moved(offered, 'adding', 'added'), {type: 'withdrawn'}))).toBe('added');
  });

  test('an offer is added, undone and added again', () => {
    expect(phaseOf(moved(offered, 'adding', 'added', 'undoing', 'offer', 'adding', 'added'))).toBe('added');
  });

  test('a failed offer can be tried again, a sold-out one cannot', () => {
    expect(phaseOf(moved(offered, 'adding', 'failed', 'adding'))).toBe('adding');
    expect(phaseOf(moved(offered, 'adding', 'sold_out', 'adding'))).toBe('sold_out');
  });

  test('a step out of turn is ignored', () => {
    expect(phaseOf(moved(offered, 'added'))).toBe('offer');
    expect(canMove(moved(offered, 'adding'), 'o1', 'adding')).toBe(false);
    expect(canMove(offered, 'another', 'adding')).toBe(false);
  });

  test('a later answer replaces untouched offers only', () => {
    const other = upsell({offer_id: 'o2', decision_id: 'd2', product: {...upsell().product!, variant_id: 'gid://shopify/ProductVariant/71'}});
    expect(reduce(offered, {type: 'answered', offers: [other]}).entries.map(({offer}) => offer.offer_id)).toEqual(['o2']);
    const taken = moved(offered, 'adding', 'added');
    expect(reduce(taken, {type: 'answered', offers: [other]}).entries.map(({offer}) => offer.offer_id)).toEqual(['o1', 'o2']);
  });

  test('a later answer does not offer again what was just taken', () => {
    const again = upsell({offer_id: 'o9', decision_id: 'd2'});
    const taken = moved(offered, 'adding', 'added');
    expect(reduce(taken, {type: 'answered', offers: [again]})).toEqual(taken);
  });
});
