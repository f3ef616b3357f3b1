import type {CustomerPrivacy} from '@shopify/ui-extensions/checkout';

/** true and false are answers; null is none yet, and the app asks the shop's policy for the region. */
export type Answer = boolean | null;

/** Shopify's four purposes, under the names that Tillwise gives them everywhere. */
export interface Consent {
  analytics: Answer;
  marketing: Answer;
  preferences: Answer;
  sale_of_data: Answer;
  /** The browser asks that nothing be sold or shared. */
  gpc?: true;
}

/** Where the visitor is, in ISO 3166 codes. */
export interface Region {
  country?: string;
  province?: string;
}

/** Return the stricter of the visitor's word and what Shopify allows with it; a yes needs both. */
export function strictest(said: boolean | undefined, allowed: boolean | undefined): Answer {
  if (said === false || allowed === false) return false;
  if (said !== true) return null;
  return allowed === true;
}

/** Return the consent to send along with a question. */
export function consentOf({visitorConsent, allowedProcessing}: CustomerPrivacy, gpc = hasGlobalPrivacyControl()): Consent {
  const said = {...visitorConsent};
  const allowed: Partial<CustomerPrivacy['allowedProcessing']> = {...allowedProcessing};
  return {
    analytics: strictest(said.analytics, allowed.analytics),
    marketing: strictest(said.marketing, allowed.marketing),
    preferences: strictest(said.preferences, allowed.preferences),
    sale_of_data: strictest(said.saleOfData, allowed.saleOfData),
    ...(gpc && {gpc}),
  };
}

/** Return the region; undefined when Shopify does not know it. */
export function regionOf(privacy: CustomerPrivacy): Region | undefined {
  const {region} = {...privacy};
  const {countryCode: country, provinceCode: province} = {...region};
  return country || province ? {country, province} : undefined;
}

/** Return whether some purpose is allowed less than it was: offers made under the old consent must go. */
export function isNarrower(now: Consent, before: Consent): boolean {
  return PURPOSES.some((purpose) => LEAST_FIRST.indexOf(now[purpose]) < LEAST_FIRST.indexOf(before[purpose]));
}

/** Few browsers have it, and a sandbox may have no navigator. */
export function hasGlobalPrivacyControl(): boolean {
  const {navigator} = globalThis as {navigator?: {globalPrivacyControl?: unknown}};
  return navigator?.globalPrivacyControl === true;
}

const PURPOSES = ['analytics', 'marketing', 'preferences', 'sale_of_data'] as const;
const LEAST_FIRST: readonly Answer[] = [false, null, true];
