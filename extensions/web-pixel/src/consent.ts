import type {CustomerPrivacyPayload} from '@shopify/web-pixels-extension';

/** Shopify's four purposes, under the names that Tillwise gives them everywhere. */
export interface Consent {
  analytics: boolean;
  marketing: boolean;
  preferences: boolean;
  sale_of_data: boolean;
  /** The browser asks that nothing be sold or shared. */
  gpc?: true;
}

type Allowed = Partial<CustomerPrivacyPayload['customerPrivacy']>;

/** Return the visitor's consent, settled by Shopify; a purpose that it does not name is not allowed. */
export function consentOf(allowed: Allowed | undefined, gpc = hasGlobalPrivacyControl()): Consent {
  return {
    analytics: allowed?.analyticsProcessingAllowed === true,
    marketing: allowed?.marketingAllowed === true,
    preferences: allowed?.preferencesProcessingAllowed === true,
    sale_of_data: allowed?.saleOfDataAllowed === true,
    ...(gpc && {gpc}),
  };
}

/** Few browsers have it, and a sandbox may have no navigator. */
export function hasGlobalPrivacyControl(): boolean {
  const {navigator} = globalThis as {navigator?: {globalPrivacyControl?: unknown}};
  return navigator?.globalPrivacyControl === true;
}
