/** Everything that a frame draws with: the elements, and the buyer's language. */
import {defineActions} from './actions.ts';
import {defineBoxes} from './boxes.ts';
import {defineFeedback} from './feedback.ts';
import {definePictures} from './pictures.ts';
import {defineWords} from './words.ts';

export function defineElements(): void {
  for (const defineAll of [defineBoxes, defineWords, definePictures, defineActions, defineFeedback]) defineAll();
}

const RIGHT_TO_LEFT = new Set(['ar', 'fa', 'he', 'ur']);

/** Set the document in the buyer's language, which a checkout as a whole is in. */
export function speak({locale = 'en'}: {locale?: string}): void {
  document.documentElement.lang = locale;
  document.documentElement.dir = RIGHT_TO_LEFT.has(locale.split('-')[0] ?? '') ? 'rtl' : 'ltr';
}
