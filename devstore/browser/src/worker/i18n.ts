/** Shopify's `i18n`: translations with plurals and replacements, numbers, money, dates. */

export interface Translations {
  readonly [key: string]: string | Translations;
}

export interface Language {
  readonly locale: string;
  readonly currency: string;
  readonly translations: Translations;
  readonly fallback: Translations;
}

type Options = Readonly<Record<string, unknown>>;

function find(translations: Translations, key: string): string | Translations | undefined {
  return key
    .split('.')
    .reduce<string | Translations | undefined>(
      (found, part) => (typeof found === 'object' ? found[part] : undefined),
      translations,
    );
}

function plural(found: string | Translations | undefined, locale: string, options: Options): string | undefined {
  if (typeof found !== 'object') return found;
  const count = Number(options['count'] ?? 0);
  const chosen = found[new Intl.PluralRules(locale).select(count)] ?? found['other'];
  return typeof chosen === 'string' ? chosen : undefined;
}

/** Return the text in parts: an array only when a replacement is not text, as Shopify does. */
function fill(text: string, options: Options): unknown {
  const parts = text.split(/\{\{\s*(\w+)\s*\}\}/).map((part, place) => (place % 2 ? options[part] ?? '' : part));
  const plain = parts.every((part) => typeof part === 'string' || typeof part === 'number');
  return plain ? parts.join('') : parts.filter((part) => part !== '');
}

export function translator({locale, translations, fallback}: Language) {
  return (key: string, options: Options = {}): unknown => {
    const text = plural(find(translations, key), locale, options) ?? plural(find(fallback, key), 'en', options);
    if (text === undefined) throw new Error(`no translation for ${key}`);
    return fill(text, options);
  };
}

export function createI18n(language: Language) {
  const {locale, currency} = language;
  return {
    translate: translator(language),
    formatNumber: (value: number | bigint, options?: Intl.NumberFormatOptions) =>
      new Intl.NumberFormat(locale, options).format(value),
    formatCurrency: (value: number | bigint, options?: Intl.NumberFormatOptions) =>
      new Intl.NumberFormat(locale, {style: 'currency', currency, ...options}).format(value),
    formatDate: (date: Date, options?: Intl.DateTimeFormatOptions) =>
      new Intl.DateTimeFormat(locale, options).format(date),
  };
}
