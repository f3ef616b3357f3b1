import type {Message} from './answer.ts';
import {number} from './parse.ts';
import type {Words} from './words.ts';

/** The messages that locales/ can say, and the amounts of money each must come with. */
export const MESSAGES = new Map<string, string[]>([
  ['banner.help', []],
  ['progress.free_shipping', ['amount']],
  ['progress.free_shipping_reached', []],
]);

/** Return the message's sentence; undefined for one that this version cannot say in full. */
export function messageWords(message: Message | undefined): Words | undefined {
  const amounts = message && MESSAGES.get(message.key);
  if (!amounts) return undefined;
  const money: Record<string, number> = {};
  for (const name of amounts) {
    const amount = number(message.args[name]);
    if (amount === undefined) return undefined;
    money[name] = amount;
  }
  return {key: `message.${message.key}`, money};
}
