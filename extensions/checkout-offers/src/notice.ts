import {messageWords} from './message.ts';
import type {NoticeView, Scene} from './model.ts';
import type {Entry} from './state.ts';
import {isOpen} from './surface.ts';

/** Return the card of a banner or a message; undefined when its sentence is unknown. */
export function messageCard({id, offer}: Entry, {settings, surface}: Scene): NoticeView | undefined {
  const {message} = offer;
  const isPaid = message?.key === 'banner.help' && !isOpen(surface); // it speaks of help before that
  const text = messageWords(isPaid ? {...message, key: 'message.help'} : message);
  return text && {layout: 'notice', id, offer, icon: 'info', text, details: [], dismissible: settings.show_dismiss};
}
