/** The privacy banner: four purposes, a choice at once or purpose by purpose. */
import {isAnswered, PURPOSES, type Privacy, type Said} from '../privacy.ts';
import type {VisitorPrivacy} from './consent.ts';

function chosen(form: HTMLFormElement, submitter: HTMLElement | null): Said {
  const all = submitter?.getAttribute('value');
  const values = new FormData(form);
  const allowed = (purpose: string): boolean => (all === 'all' ? true : all === 'none' ? false : values.has(purpose));
  return Object.fromEntries(PURPOSES.map((purpose) => [purpose, allowed(purpose)]));
}

/** Tick what was allowed in so many words; a tick that nobody made is no consent. */
function tick(form: HTMLFormElement, {visitorConsent}: Privacy): void {
  for (const purpose of PURPOSES) {
    const box = form.elements.namedItem(purpose);
    if (box instanceof HTMLInputElement) box.checked = visitorConsent[purpose] === true;
  }
}

/** Take the visitor's choices, and follow those that are made elsewhere. */
export function watchBanner(visitor: VisitorPrivacy): void {
  const banner = document.querySelector<HTMLElement>('[data-privacy]');
  const form = banner?.querySelector('form');
  if (!banner || !form) return;
  visitor.watch((privacy) => {
    tick(form, privacy);
    if (isAnswered(privacy)) banner.hidden = true;
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    visitor.say(chosen(form, event.submitter));
  });
  document.querySelector('[data-privacy-open]')?.addEventListener('click', () => {
    banner.hidden = false;
    form.querySelector('input')?.focus();
  });
}
