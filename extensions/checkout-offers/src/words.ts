/** A sentence to translate: a key of locales/ and what fills its gaps. */
export interface Words {
  key: string;
  args?: Record<string, string | number>;
  /** Gaps that are amounts, in major units. */
  money?: Record<string, number>;
}

/** The parts of `shopify.i18n` that sentences need. */
export interface I18n {
  translate(key: string, args?: Record<string, string | number>): string;
  formatCurrency(amount: number, options: Intl.NumberFormatOptions): string;
}

/** Speaks the buyer's language and currency. */
export interface Speaker {
  say(words: Words): string;
  sayMoney(amount: number): string;
}

export function speaker(i18n: I18n, currency: string): Speaker {
  const sayMoney = (amount: number) => i18n.formatCurrency(amount, {currency});
  const amounts = (money: Record<string, number> = {}) =>
    Object.fromEntries(Object.entries(money).map(([name, amount]) => [name, sayMoney(amount)]));
  return {sayMoney, say: ({key, args, money}) => i18n.translate(key, {...args, ...amounts(money)})};
}
