/** The visitor's word on each purpose: kept in a cookie that the server reads too, told to who wants to know. */
import {PURPOSES, saying, type Consent, type Privacy, type Said} from '../privacy.ts';
import {writeCookie} from './events.ts';

const LETTERS: Readonly<Record<keyof Consent, string>> = {
  analytics: 'a',
  marketing: 'm',
  preferences: 'p',
  saleOfData: 's',
};

type Listener = (privacy: Privacy) => void;

export class VisitorPrivacy {
  private readonly listeners: Listener[] = [];

  constructor(private privacy: Privacy) {}

  get current(): Privacy {
    return this.privacy;
  }

  /** Call back now and with each change. */
  watch(listener: Listener): void {
    this.listeners.push(listener);
    listener(this.privacy);
  }

  say(more: Said): void {
    this.privacy = saying(this.privacy, more);
    keep(this.privacy.visitorConsent);
    for (const listener of this.listeners) listener(this.privacy);
  }
}

/** Keep the answers as letters: `_a1m0` for analytics allowed, marketing refused, nothing said of the others. */
function keep(said: Said): void {
  const answered = PURPOSES.filter((purpose) => said[purpose] !== undefined);
  writeCookie('devstore_consent', `_${answered.map((purpose) => LETTERS[purpose] + Number(said[purpose])).join('')}`);
}

/** Return what is allowed as a pixel's `customerPrivacy` spells it. */
export function forPixels(consent: Consent): Record<string, boolean> {
  return {
    analyticsProcessingAllowed: consent.analytics,
    marketingAllowed: consent.marketing,
    preferencesProcessingAllowed: consent.preferences,
    saleOfDataAllowed: consent.saleOfData,
  };
}
