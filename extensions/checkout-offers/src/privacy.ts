import type {CustomerPrivacy, VisitorConsentChange} from '@shopify/ui-extensions/checkout';

/** Where the privacy choice stands with the buyer. */
export type PrivacyPhase = 'asking' | 'allowing' | 'declining' | 'saved' | 'failed';

/** Return whether Shopify would ask the buyer, who has said nothing yet: an earlier no is not asked again. */
export function isUnanswered({shouldShowBanner, visitorConsent}: CustomerPrivacy): boolean {
  const {analytics, marketing, preferences} = {...visitorConsent};
  return shouldShowBanner && [analytics, marketing, preferences].every((said) => said === undefined);
}

/**
 * Return the change that keeps the answer. No is a no to all four purposes. Yes is a yes to the three that
 * the question names: what the buyer said of the sale of data stays as it was, and a browser's signal is a no.
 */
export function consentChange(allow: boolean, {visitorConsent}: CustomerPrivacy, gpc: boolean): VisitorConsentChange {
  const {saleOfData} = {...visitorConsent};
  return {
    type: 'changeVisitorConsent',
    analytics: allow,
    marketing: allow,
    preferences: allow,
    saleOfData: allow && !gpc ? saleOfData : false,
  };
}
