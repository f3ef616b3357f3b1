import {describe, expect, test} from 'vitest';
import {fromNow, speaker, type I18n, type Said} from '../src/words.ts';

const NOW = Date.parse('2026-11-25T12:00:00Z');
const MINUTE = 60_000;

const i18n = (locale: string): I18n => ({
  translate: (key, args = {}) => `${key} ${JSON.stringify(args)}`,
  formatNumber: (value, options) => new Intl.NumberFormat(locale, options).format(value),
  formatCurrency: (value, options) => new Intl.NumberFormat(locale, {style: 'currency', ...options}).format(value),
});
/** Say it; a space that must not break is written as a plain one here. */
const say = (words: Said, locale = 'en', currency = 'USD') =>
  speaker(i18n(locale), {currency, locale, language: locale, now: NOW}).say(words).replaceAll('\u00a0', ' ');

describe('a sentence of ours', () => {
  test.each([
    ['en', 'USD', 'k {"saving":"$4.20"}'],
    ['de', 'EUR', 'k {"saving":"4,20 €"}'],
    ['ja', 'JPY', 'k {"saving":"￥4"}'],
    ['ar-AE', 'USD', 'k {"saving":"\u200f4.20 US$\u200e"}'], // else, from right to left, $ would stand before US
  ])('in %s an amount is in the buyer’s %s', (locale, currency, expected) => {
    expect(say({key: 'k', money: {saving: 4.2}}, locale, currency)).toBe(expected);
  });

  test('an amount of another currency keeps its own', () => {
    expect(say({key: 'k', money: {saving: {amount: 5, currency: 'EUR'}}})).toBe('k {"saving":"€5.00"}');
  });

  test.each([['en', '12.5%'], ['de', '12,5 %'], ['ar-EG', '١٢٫٥٪؜']])('in %s a percentage is %s', (locale, expected) => {
    expect(say({key: 'k', percent: {saving: 12.5}}, locale)).toBe(`k {"saving":"${expected}"}`);
  });

  test('a moment is told in the language of its sentence, which need not be the buyer’s: Shopify takes another where ours are none of it', () => {
    const {say} = speaker(i18n('it'), {currency: 'EUR', locale: 'it', language: 'en', now: NOW});
    expect(say({key: 'Expires', when: {when: NOW + 20 * MINUTE}})).toBe('Expires {"when":"in 20 minutes"}');
    const own = say({text: '{left}', args: {left: {amount: 4.2, currency: 'EUR'}}});
    expect(own.replaceAll('\u00a0', ' ')).toBe('4,20 €');
  });
});

describe('the merchant’s own words', () => {
  test('gaps are filled with words, numbers and money', () => {
    const args = {name: 'Milk', count: 1234, left: {amount: 4.2, currency: 'EUR'}};
    expect(say({text: '{name}: {count} sold, {left} to go', args}, 'de')).toBe('Milk: 1.234 sold, 4,20 € to go');
  });

  test.each([
    ['en', 1, 'one piece'],
    ['en', 3, '3 pieces'],
    ['pl', 3, '3 sztuki'],
    ['pl', 5, '5 pieces'], // a form that the merchant left out is the last one
  ])('in %s %i has its own plural', (locale, count, expected) => {
    const text = {one: 'one piece', few: '{count} sztuki', other: '{count} pieces'};
    expect(say({text: locale === 'en' ? {one: text.one, other: text.other} : text, args: {count}}, locale)).toBe(expected);
  });

  test('no line begins with a percent sign, nor with a mark that French sets apart', () => {
    const {say} = speaker(i18n('fr'), {currency: 'EUR', locale: 'fr', language: 'fr', now: NOW});
    expect(say({text: 'Bravo ! {percentage} % ou 5 € de moins : code {code}', args: {percentage: 10, code: 'A !'}})).toBe(
      'Bravo\u00a0! 10\u00a0% ou 5\u00a0€ de moins\u00a0: code A !',
    );
  });

  test('a long word may be broken, a code never', () => {
    const code = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
    expect(say({text: 'Geschwindigkeitsbegrenzung {code}', args: {code}})).toBe(`Geschw\u200bindigk\u200beitsbe\u200bgrenzung ${code}`);
  });
});

test.each([
  [20, 'en', 'in 20 minutes'],
  [0.2, 'en', 'in 1 minute'],
  [-5, 'en', 'in 1 minute'], // what is over is not shown at all: this is only never wrong the other way
  [89, 'de', 'in 89 Minuten'],
  [119, 'en', 'in 1 hour'], // two would be more than there are
  [3 * 60, 'de', 'in 3 Stunden'],
  [24 * 60, 'fr', 'dans 24 heures'],
  [36 * 60 - 1, 'en', 'in 35 hours'],
])('%d minutes from now are in %s "%s"', (minutes, locale, expected) => {
  expect(fromNow(NOW + minutes * MINUTE, NOW, locale)).toBe(expected);
});

test.each([
  [8, 26, 20, 'de', 'morgen'], // 36 hours
  [8, 27, 0, 'en', 'tomorrow'], // the midnight with which tomorrow ends
  [20, 27, 8, 'de', 'übermorgen'],
  [20, 27, 20, 'es', 'pasado mañana'],
  [8, 27, 22, 'en', 'in 2 days'], // 62 hours
  [8, 28, 9, 'ja', '3 日後'],
])('at %d o’clock of the 25th, the %dth at %d is in %s "%s"', (hour, day, until, locale, expected) => {
  expect(fromNow(new Date(2026, 10, day, until).getTime(), new Date(2026, 10, 25, hour).getTime(), locale)).toBe(expected);
});
