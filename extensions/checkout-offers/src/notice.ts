import {messageWords} from './message.ts';
import type {NoticeView} from './model.ts';
import type {Entry} from './state.ts';

/** Return the card of a banner or a message; undefined when its sentence is unknown. */
export function messageCard({id, offer}: Entry): NoticeView | undefined {
  const text = messageWords(offer.message);
  return text && {layout: 'notice', id, offer, icon: 'info', text, details: [], dismiss: {key: 'button.dismiss'}};
}
