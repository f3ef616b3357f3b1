import {speaker, type I18n, type Speaker} from '../../extensions/checkout-offers/src/words.ts';
import type {Page} from './page.ts';

/** Return who speaks the page's language, and amounts without a currency of their own in this one. */
export function speakerOf({locale, words}: Page, currency: string): Speaker {
  const i18n: I18n = {
    translate: (key, args = {}) => (words[key] ?? '').replace(/\{(\w+)\}/g, (gap, name) => String(args[name] ?? gap)),
    formatCurrency: (amount, options) => new Intl.NumberFormat(locale, {style: 'currency', ...options}).format(amount),
    formatNumber: (value, options) => new Intl.NumberFormat(locale, options).format(value),
  };
  return speaker(i18n, {currency, locale, language: words.language ?? locale, now: Date.now()});
}
