/** The visitor's choice of purposes: kept in a cookie that the server reads too. */
import type {Consent} from '../messages.ts';
import {writeCookie} from './events.ts';

export const PURPOSES = ['analytics', 'marketing', 'preferences', 'saleOfData'] as const;

const LETTERS: Readonly<Record<keyof Consent, string>> = {
  analytics: 'a',
  marketing: 'm',
  preferences: 'p',
  saleOfData: 's',
};

/** Keep the choice as the letters of what is allowed: `ap` for analytics and preferences. */
export function keepConsent(consent: Consent): void {
  const letters = PURPOSES.filter((purpose) => consent[purpose]).map((purpose) => LETTERS[purpose]);
  writeCookie('devstore_consent', `_${letters.join('')}`);
}

/** Return the choice as a pixel's `customerPrivacy` spells it. */
export function forPixels(consent: Consent): Record<string, boolean> {
  return {
    analyticsProcessingAllowed: consent.analytics,
    marketingAllowed: consent.marketing,
    preferencesProcessingAllowed: consent.preferences,
    saleOfDataAllowed: consent.saleOfData,
  };
}
