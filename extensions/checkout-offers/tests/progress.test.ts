import {describe, expect, test} from 'vitest';
import {view, type ProgressView} from '../src/model.ts';
import type {Offer} from '../src/offer.ts';
import {scene, upsell} from './offers.ts';

const progress = (overrides: Partial<Offer>, on = scene()): ProgressView | undefined => {
  const offer = upsell({kind: 'progress', ...overrides});
  const shown = view({loading: false, entries: [{id: offer.offer_id, offer, phase: 'offer'}]}, on);
  return shown.kind === 'offers' ? (shown.cards[0] as ProgressView | undefined) : undefined;
};

describe('a bar of progress', () => {
  const goal = {current: 20, target: 50, currency: 'USD'};
  const missing = (amount: number) => ({amount: {amount, currency: 'USD'}, remaining: {amount, currency: 'USD'}});
  const own = {key: 'own', args: {}, text: 'Only {remaining} to go'};

  const free = {key: 'progress.free_shipping', args: {}};

  test('follows the cart as it is now, not as it was when the app was asked', () => {
    expect(progress({progress: goal, message: free}, scene({subtotal: 42}))).toMatchObject({
      value: 42, max: 50, text: {key: 'message.progress.free_shipping', money: {amount: {amount: 8, currency: 'USD'}}},
    });
  });

  test('says what is missing in the merchant’s words', () => {
    expect(progress({progress: goal, message: own}, scene({subtotal: 42}))?.text).toEqual({text: own.text, args: missing(8)});
  });

  test('of another currency than the cart’s stays as it was told', () => {
    expect(progress({progress: {...goal, currency: 'EUR'}, message: free}, scene({subtotal: 42}))).toMatchObject({value: 20, max: 50});
  });

  test.each([
    ['progress.free_shipping', 'message.progress.free_shipping_reached'],
    ['own', 'bar.reached'],
  ])('that is full says so, told by %s', (key, expected) => {
    expect(progress({progress: goal, message: {...own, key}}, scene({subtotal: 50}))).toMatchObject({value: 50, text: {key: expected}});
  });

  test('that was full when the app was asked, and is not any more, says what is missing', () => {
    const message = {key: 'progress.free_shipping_reached', args: {}};
    expect(progress({progress: {...goal, current: 60}, message}, scene({subtotal: 42}))?.text).toMatchObject({key: 'message.progress.free_shipping'});
  });

  test.each([
    [42, undefined, true],
    [42, 4.9, true],
    [42, 0, false], // as where the order is picked up
    [50, 0, true],
    [50, 12, false], // as where it is sent by express
  ])('towards free shipping, at %d of 50 where shipping costs %s, is shown: %s', (subtotal, shipping, shown) => {
    expect(Boolean(progress({progress: goal, message: free}, scene({subtotal, shipping})))).toBe(shown);
    expect(progress({progress: goal, message: own}, scene({subtotal, shipping}))).toBeDefined();
  });

  test('that does not say what it is for is not shown', () => {
    expect(progress({progress: goal})).toBeUndefined();
  });

  test('without a target is a sentence', () => {
    const message = {key: 'progress.free_shipping', args: {amount: '4.20'}};
    expect(progress({message})).toMatchObject({layout: 'notice', text: {key: 'message.progress.free_shipping', money: {amount: 4.2}}});
  });
});
