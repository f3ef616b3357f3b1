import type {CustomerPrivacyPayload} from '@shopify/web-pixels-extension';

/** Shopify's four purposes, under the names that Tillwise gives them everywhere. */
export interface Consent {
  analytics: boolean;
  marketing: boolean;
  preferences: boolean;
  sale_of_data: boolean;
}

type Allowed = Partial<CustomerPrivacyPayload['customerPrivacy']>;

/** Return the visitor's consent; a purpose that Shopify does not name is not allowed. */
export function consentOf(allowed: Allowed | undefined): Consent {
  return {
    analytics: allowed?.analyticsProcessingAllowed === true,
    marketing: allowed?.marketingAllowed === true,
    preferences: allowed?.preferencesProcessingAllowed === true,
    sale_of_data: allowed?.saleOfDataAllowed === true,
  };
}
