import {messageWords} from './message.ts';
import type {ProgressView, Scene} from './model.ts';
import type {Message} from './offer.ts';
import type {Entry} from './state.ts';
import type {Said} from './words.ts';

/**
 * Return the bar towards an amount, which follows the cart as it is now; undefined without a target, or without a
 * word of what it is for. What is missing is said as `amount` and `remaining`, in the merchant's words or in ours.
 */
export function progressCard({id, offer}: Entry, scene: Pick<Scene, 'currency' | 'subtotal'>): ProgressView | undefined {
  const {progress, message} = offer;
  if (!progress || !message) return undefined;
  const {target, currency} = progress;
  const current = currency === scene.currency ? scene.subtotal : progress.current;
  const missing = Math.max(target - current, 0);
  const text = missing > 0 ? messageWords(withMissing(message, missing, currency)) : reached(message);
  if (!text) return undefined;
  return {layout: 'progress', id, offer, text, label: {key: 'bar.label'}, value: Math.min(current, target), max: target};
}

function withMissing(message: Message, amount: number, currency: string): Message {
  const money = {amount, currency};
  const key = message.key.replace(/_reached$/, ''); // it was, when the app was asked
  return {...message, key, args: {...message.args, amount: money, remaining: money}};
}

/** The merchant's words for the way there may not fit once the buyer has arrived. */
function reached({key}: Message): Said {
  const shipping = key.startsWith('progress.free_shipping');
  return {key: shipping ? 'message.progress.free_shipping_reached' : 'bar.reached'};
}
