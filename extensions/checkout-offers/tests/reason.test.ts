import {expect, test} from 'vitest';
import type {Why} from '../src/offer.ts';
import {reasonWords} from '../src/reason.ts';
import {upsell} from './offers.ts';

const OWN = 'gid://shopify/Product/7';
const MILK = 'gid://shopify/Product/1';
const words = (...why: Why[]) => reasonWords(upsell({why}), {[MILK]: 'Milk'});

test.each<[Why, unknown]>([
  [{reason: 'bought_together', with: MILK}, {key: 'reason.bought_together_with', args: {title: 'Milk'}}],
  [{reason: 'bought_together', with: 'gid://shopify/Product/999'}, {key: 'reason.bought_together'}],
  [{reason: 'bought_together'}, {key: 'reason.bought_together'}],
  [{reason: 'similar', with: MILK}, {key: 'reason.similar_to', args: {title: 'Milk'}}],
  [{reason: 'goes_with_history'}, {key: 'reason.goes_with_history'}],
  [{reason: 'goes_with_history', with: OWN}, {key: 'reason.bought_before'}],
  [{reason: 'popular'}, {key: 'reason.popular'}],
  [{reason: 'new_in'}, {key: 'reason.new_in'}],
  [{reason: 'merchant_pick'}, {key: 'reason.merchant_pick'}],
])('%o is said as %o', (why, expected) => {
  expect(words(why)).toEqual(expected);
});

test('a reason of a later version gives way to the next one', () => {
  expect(words({reason: 'astrology'}, {reason: 'popular'})).toEqual({key: 'reason.popular'});
});

test('no reason is made up', () => {
  expect(words()).toBeUndefined();
  expect(words({reason: 'constructor'})).toBeUndefined();
});
