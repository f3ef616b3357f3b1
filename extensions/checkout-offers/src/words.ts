import type {Arg, Plural, UnitPrice} from './offer.ts';
import {breakable} from './shorten.ts';
import type {Money} from './parse.ts';

/** A sentence to translate: a key of locales/ and what fills its gaps. */
export interface Words {
  key: string;
  args?: Record<string, string | number>;
  /** Gaps that are amounts: in major units, of the buyer's currency unless they say theirs. */
  money?: Record<string, number | Money>;
  /** Gaps that are percentages: 10. */
  percent?: Record<string, number>;
  /** Gaps that are moments, told from now: "in 20 minutes". */
  when?: Record<string, number>;
}

/** The merchant's own sentence: "…{name}…", or one for each plural form, chosen by `count`. */
export interface OwnWords {
  text: string | Plural;
  args: Record<string, Arg>;
}

export type Said = Words | OwnWords;

/** The parts of `shopify.i18n` that sentences need. */
export interface I18n {
  translate(key: string, args?: Record<string, string | number>): string;
  formatCurrency(amount: number, options: Intl.NumberFormatOptions): string;
  formatNumber(value: number, options?: Intl.NumberFormatOptions): string;
}

/** Speaks the buyer's language and currency. */
export interface Speaker {
  say(words: Said): string;
  /** Say an amount, and what a measure costs where that is told; from right to left each keeps its own order. */
  sayPrice(amount: number, unit?: UnitPrice): string;
}

export interface Tongue {
  currency: string;
  /** The buyer's, which the merchant's own words are in. */
  locale: string;
  /** What our sentences are in: another where there are none in the buyer's. */
  language: string;
  now: number;
}

/** A space that merchants type where no line may end: of `10 %` and `5 €`, and before the marks that French sets apart. */
const TIED = / (?=[%€!?:;»])/g;

/** As in US$, which would be $US from right to left without a mark of direction behind it. */
const SIGN_AFTER_LETTERS = /[A-Z]\p{Sc}$/u;

export function speaker(i18n: I18n, {currency, locale, language, now}: Tongue): Speaker {
  const money = (told: number | Money) => {
    const {amount, currency: own} = typeof told === 'number' ? {amount: told, currency} : told;
    return i18n.formatCurrency(amount, {currency: own}).replace(SIGN_AFTER_LETTERS, '$&\u200e');
  };
  const percent = (value: number) => i18n.formatNumber(value / 100, {style: 'percent', maximumFractionDigits: 1});
  const gap = (arg: Arg) => (typeof arg === 'object' ? money(arg) : typeof arg === 'number' ? i18n.formatNumber(arg) : arg);

  function translated(words: Words): string {
    return i18n.translate(words.key, {
      ...words.args,
      ...each(words.money, money),
      ...each(words.percent, percent),
      ...each(words.when, (moment) => fromNow(moment, now, language)),
    });
  }

  function own({text, args}: OwnWords): string {
    const form = typeof text === 'string' ? text : (text[pluralForm(args.count, locale)] ?? text.other ?? '');
    return form.split(/\{(\w+)\}/).map((part, at) => (at % 2 ? gap(args[part] ?? '') : breakable(part.replace(TIED, '\u00a0')))).join('');
  }

  const price = (amount: number, unit?: UnitPrice) => money(amount) + (unit ? ` (\u2068${money(unit.amount)}\u2069/${unit.per})` : '');

  return {sayPrice: price, say: (words) => ('text' in words ? own(words) : translated(words))};
}

function each<Value>(gaps: Record<string, Value> = {}, said: (value: Value) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(gaps).map(([name, value]) => [name, said(value)]));
}

function pluralForm(count: Arg | undefined, locale: string): string {
  return new Intl.PluralRules(locale).select(typeof count === 'object' ? count.amount : Number(count ?? 0));
}

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

/** Return how far off the moment is, never farther than it is, as a person would say it: "in 20 minutes", "tomorrow". */
export function fromNow(moment: number, now: number, locale: string): string {
  const minutes = Math.max(Math.ceil((moment - now) / MINUTE), 1);
  const [amount, unit] =
    minutes < 90 ? [minutes, 'minute' as const] : minutes < 36 * 60 ? [Math.floor(minutes / 60), 'hour' as const] : [nights(now, moment - 1), 'day' as const];
  return new Intl.RelativeTimeFormat(locale, {numeric: 'auto'}).format(amount, unit);
}

/** Return how many nights there are between two moments where the buyer is: "tomorrow" is after one. */
function nights(first: number, last: number): number {
  const midnight = (moment: number) => new Date(moment).setHours(0, 0, 0, 0);
  return Math.round((midnight(last) - midnight(first)) / DAY);
}
