/** The privacy banner: four purposes, a choice at once or purpose by purpose. */
import type {Consent} from '../messages.ts';
import {keepConsent, PURPOSES} from './consent.ts';

function chosen(form: HTMLFormElement, submitter: HTMLElement | null): Consent {
  const all = submitter?.getAttribute('value');
  const values = new FormData(form);
  const allowed = (purpose: string): boolean => (all === 'all' ? true : all === 'none' ? false : values.has(purpose));
  return Object.fromEntries(PURPOSES.map((purpose) => [purpose, allowed(purpose)])) as unknown as Consent;
}

/** Call back with each choice the visitor makes. */
export function watchBanner(decided: (consent: Consent) => void): void {
  const banner = document.querySelector<HTMLElement>('[data-privacy]');
  const form = banner?.querySelector('form');
  form?.addEventListener('submit', (event) => {
    event.preventDefault();
    const consent = chosen(form, event.submitter);
    keepConsent(consent);
    if (banner) banner.hidden = true;
    decided(consent);
  });
  document.querySelector('[data-privacy-open]')?.addEventListener('click', () => {
    if (banner) banner.hidden = false;
    form?.querySelector('input')?.focus();
  });
}
