import {describe, expect, test} from 'vitest';
import {canMove, INITIAL, painted, reduce, type Phase, type State} from '../src/state.ts';
import {coupon, upsell} from './offers.ts';

const offered = reduce(INITIAL, {type: 'answered', offers: [upsell()]});
const moved = (state: State, ...phases: Phase[]) =>
  phases.reduce((before, phase) => reduce(before, {type: 'moved', id: before.entries[0]!.id, phase}), state);
const phaseOf = (state: State) => state.entries[0]?.phase;

describe('the state of the offers', () => {
  test('it begins loading and empty', () => {
    expect(INITIAL).toEqual({loading: true, entries: []});
  });

  test('an answer ends the loading', () => {
    expect(offered).toEqual({loading: false, entries: [{id: 'd1 o1', offer: upsell(), phase: 'offer'}]});
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
    expect(canMove(moved(offered, 'adding'), 'd1 o1', 'adding')).toBe(false);
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

  test('what can’t be sold and is not on the screen goes; what is on it, or was taken, stays', () => {
    const more = ['o2', 'o3'].map((offer_id) => upsell({offer_id, product: {...upsell().product!, variant_id: `gid://shopify/ProductVariant/${offer_id}`}}));
    const state = reduce(INITIAL, {type: 'answered', offers: [upsell(), ...more]});
    const prices = new Map([upsell(), more[0]!].map(({product}) => [product!.variant_id, null]));
    const left = (from: State, ...shown: string[]) =>
      reduce(from, {type: 'priced', prices, shown: new Set(shown)}).entries.map(({id}) => id);
    expect(left(state, 'd1 o1')).toEqual(['d1 o1', 'd1 o3']);
    expect(left(state)).toEqual(['d1 o3']);
    expect(left(moved(state, 'adding', 'added'))).toEqual(['d1 o1', 'd1 o3']);
  });

  test('of the messages that come late one joins, and none that is there', () => {
    const [help, more] = ['b1', 'b2'].map((offer_id) => upsell({kind: 'banner', offer_id, product: undefined}));
    const after = reduce(offered, {type: 'joined', offers: [help!, more!]});
    expect(after.entries.map(({offer, late}) => [offer.offer_id, late])).toEqual([['o1', undefined], ['b1', true]]);
    expect(reduce(after, {type: 'joined', offers: [help!]}).entries).toEqual(after.entries);
    expect(reduce(offered, {type: 'joined', offers: [], waited: true})).toEqual({...offered, waited: true});
  });

  test('a coupon that came late and was taken is there once, in its own place, when the cart changes', () => {
    const taken = moved(reduce({...offered, entries: []}, {type: 'joined', offers: [coupon()]}), 'adding', 'added');
    const after = reduce(taken, {type: 'answered', offers: [coupon({decision_id: 'd2', offer_id: 'c9'}), upsell()]});
    expect(after.entries.map(({offer, phase, late}) => [offer.offer_id, phase, late])).toEqual([['c1', 'added', undefined], ['o1', 'offer', undefined]]);
  });

  test('what was refused does not come back', () => {
    const refused = moved(offered, 'dismissed');
    expect(reduce(refused, {type: 'answered', offers: [upsell({offer_id: 'o9', decision_id: 'd2'})]})).toEqual(refused);
    expect(reduce(refused, {type: 'withdrawn'}).entries).toEqual(refused.entries);
  });

  test('a message that was refused does not come back with another decision, at once or late', () => {
    const banner = (decision_id: string, campaign = 'help') => upsell({kind: 'banner', product: undefined, decision_id, offer_id: `b-${decision_id}`, campaign});
    const refused = moved(reduce(INITIAL, {type: 'answered', offers: [banner('d1')]}), 'dismissed');
    expect(reduce(refused, {type: 'answered', offers: [banner('d2')]}).entries).toEqual(refused.entries);
    expect(reduce(refused, {type: 'joined', offers: [banner('d2')]}).entries).toEqual(refused.entries);
    expect(reduce(refused, {type: 'joined', offers: [banner('d2', 'other')]}).entries).toHaveLength(2);
  });

  test('a campaign whose product was refused may still offer its others', () => {
    const [one, two] = [70, 71].map((variant) => upsell({campaign: 'socks', offer_id: `o-${variant}`, product: {...upsell().product!, variant_id: `gid://shopify/ProductVariant/${variant}`}}));
    const refused = moved(reduce(INITIAL, {type: 'answered', offers: [one!]}), 'dismissed');
    expect(reduce(refused, {type: 'answered', offers: [two!]}).entries).toHaveLength(2);
  });

  test.each<Phase[]>([['dismissed'], ['adding', 'failed', 'dismissed'], ['adding', 'sold_out', 'dismissed']])('an offer that was %s %s %s is gone', (...phases) => {
    expect(phaseOf(moved(offered, ...phases))).toBe('dismissed');
  });

  test('what is in the order is undone, not refused', () => {
    expect(phaseOf(moved(offered, 'adding', 'added', 'dismissed'))).toBe('added');
  });
});

describe('offers that were painted ahead', () => {
  const one = upsell({decision_id: undefined, offer_id: 'ahead-70'});
  const two = upsell({decision_id: undefined, offer_id: 'ahead-71', product: {...one.product!, variant_id: 'gid://shopify/ProductVariant/71'}});
  const other = upsell({offer_id: 'o3', product: {...one.product!, variant_id: 'gid://shopify/ProductVariant/73'}});
  const before = painted([one, two]);
  const upgrade = (state: State, offers = [other, upsell()], late = false) => reduce(state, {type: 'answered', offers, upgrade: true, late});
  const names = ({entries}: State) => entries.map(({offer}) => offer.offer_id);

  test('they are there at once, and as many boxes stay', () => {
    expect(before).toMatchObject({loading: true, boxes: 2});
    expect(upgrade(before).boxes).toBe(2);
  });

  test('the answer takes their places, and those it leaves empty stay as they are', () => {
    expect(names(upgrade(before))).toEqual(['o3', 'o1', 'ahead-71']);
    expect(names(upgrade(before, [other]))).toEqual(['o3', 'ahead-70', 'ahead-71']);
  });

  test('an answer without offers ends them', () => {
    expect(upgrade(before, []).entries).toEqual([]);
  });

  test('a late answer only names what it offers too', () => {
    const after = upgrade(before, [other, upsell()], true);
    expect(names(after)).toEqual(['o1', 'ahead-71']);
    expect(after.entries[0]).toMatchObject({id: before.entries[0]!.id, offer: {decision_id: 'd1'}});
  });

  test.each<Phase[]>([['dismissed'], ['adding', 'added'], ['adding', 'failed']])('once the buyer has touched one (%s %s), nothing is swapped under their hands', (...phases) => {
    const touched = moved(before, ...phases);
    expect(names(upgrade(touched))).toEqual(['o1', 'ahead-71']);
    expect(phaseOf(upgrade(touched))).toBe(phases.at(-1));
  });

  test('with no answer they stay', () => {
    expect(reduce(before, {type: 'unanswered'})).toEqual({...before, loading: false});
  });

  test('when the buyer changes the cart, the boxes are made anew', () => {
    expect(reduce(upgrade(before), {type: 'answered', offers: [other]}).boxes).toBeUndefined();
  });

  test('a withdrawal takes them away', () => {
    expect(reduce(before, {type: 'withdrawn'})).toEqual({loading: true, entries: []});
  });
});
