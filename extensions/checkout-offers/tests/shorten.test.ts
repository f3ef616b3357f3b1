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
  ['Donaudampfschifffahrtsgesellschaft', 'Donaud|ampfsc|hifffa|hrtsge|sellsc|haft'],
  ['One Nineteenlettersword here', 'One Ninete|enlett|ersword here'],
  ['Seventeen_letters only words of it', 'Seventeen_letters only words of it'],
  ['เสื้อยืดผ้าฝ้ายออร์แกนิก', 'เสื้อยืดผ้าฝ้ายออร์แกนิก'], // a browser ends lines between these words, with a dictionary
  ['オーガニックコットンＴシャツ、ラージサイズ', 'オーガニックコットンＴシャツ、ラージサイズ'], // and here anywhere but before ー and 、
  ['समाजसेवासमितियोंकाविशेषसंग्रह', 'समाजसेवासमितियोंकाविशेषसंग्रह'], // a vowel apart from its letter would be drawn on a circle
  ['👩🏽‍🍳👨🏿‍🍳👩🏻‍🍳👨🏾‍🍳👩🏽‍🍳', '👩🏽‍🍳👨🏿‍🍳👩🏻‍🍳👨🏾‍🍳👩🏽‍🍳'], // nor a cook beside their hat
  ['Thermoskannenset™Edelstahlflasche', 'Thermo|skanne|nset™E|delsta|hlflas|che'], // it ends lines at an emoji, not at a sign
  ['Gescha\u0308ftsbedingungen', 'Gescha\u0308|ftsbed|ingungen'], // nor does an accent stand alone
])('%s may be broken as %s', (text, expected) => {
  expect(breakable(text)).toBe(expected.replaceAll('|', '\u200b'));
});
