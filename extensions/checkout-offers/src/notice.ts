import {messageWords} from './message.ts';
import type {NoticeView, Scene} from './model.ts';
import type {Entry} from './state.ts';

/** Return the card of a banner or a message; undefined when its sentence is unknown. */
export function messageCard({id, offer}: Entry, {settings}: Scene): NoticeView | undefined {
  const text = messageWords(offer.message);
  const dismiss = settings.show_dismiss ? {key: 'button.dismiss'} : undefined;
  return text && {layout: 'notice', id, offer, icon: 'info', text, details: [], dismiss};
}
