import type {Message} from './offer.ts';
import {number, type Money} from './parse.ts';
import type {OwnWords, Said} from './words.ts';

/** The messages that locales/ can say, and the amounts of money each must come with. */
export const MESSAGES = new Map<string, string[]>([
  ['banner.help', []],
  ['banner.welcome', []],
  ['message.help', []],
  ['progress.free_shipping', ['amount']],
  ['progress.free_shipping_reached', []],
]);

/** Return the merchant's own words; undefined without any, or with a gap in them: that is worse than none. */
export function ownWords(message: Message | undefined): OwnWords | undefined {
  return message?.text && isFilled(message) ? {text: message.text, args: message.args} : undefined;
}

/** Return the merchant's own words, else the message's sentence; undefined for one that this version cannot say in full. */
export function messageWords(message: Message | undefined): Said | undefined {
  const own = ownWords(message);
  if (!message || own) return own;
  const amounts = MESSAGES.get(message.key);
  if (!amounts) return undefined;
  const money: Record<string, number | Money> = {};
  for (const name of amounts) {
    const arg = message.args[name];
    const amount = typeof arg === 'object' ? arg : number(arg);
    if (amount === undefined) return undefined;
    money[name] = amount;
  }
  return {key: `message.${message.key}`, money};
}

function isFilled({text, args}: Message): boolean {
  const forms = typeof text === 'string' ? [text] : Object.values(text ?? {});
  return forms.every((form) => [...form.matchAll(/\{(\w+)\}/g)].every(([, name]) => Object.hasOwn(args, name!)));
}
