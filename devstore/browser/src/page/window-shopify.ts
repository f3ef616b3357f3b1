/** `window.Shopify` as a storefront has it: the customer privacy API once it is asked for, and events for pixels. */
import {allowedBy, isAnswered, PURPOSES, type Consent} from '../privacy.ts';
import {ACTIONS} from './actions.ts';
import type {VisitorPrivacy} from './consent.ts';
import type {Pixels} from './pixels.ts';

interface Feature {
  readonly name: string;
}

/** The same purposes under the names of Shopify's API. */
const SPELT: Readonly<Record<keyof Consent, string>> = {
  analytics: 'analytics',
  marketing: 'marketing',
  preferences: 'preferences',
  saleOfData: 'sale_of_data',
};

export function giveShopify(visitor: VisitorPrivacy, pixels: Pixels): void {
  const shopify: Record<string, unknown> = {
    actions: ACTIONS,
    analytics: {publish: (name: string, data: unknown) => pixels.publishCustom(name, data)},
    loadFeatures(features: readonly Feature[], done?: (error?: Error) => void) {
      const unknown = features.find(({name}) => name !== 'consent-tracking-api');
      // It is a script of Shopify's, and so comes later.
      setTimeout(() => {
        if (!unknown) shopify.customerPrivacy ??= customerPrivacy(visitor);
        done?.(unknown && new Error(`the dev store has no feature ${unknown.name}`));
      });
    },
  };
  Object.assign(window, {Shopify: shopify});
  let first = true;
  visitor.watch(() => {
    if (!first) document.dispatchEvent(new CustomEvent('visitorConsentCollected', {detail: collected(visitor)}));
    first = false;
  });
}

function customerPrivacy(visitor: VisitorPrivacy): Record<string, unknown> {
  const allowed = () => allowedBy(visitor.current);
  return {
    analyticsProcessingAllowed: () => allowed().analytics,
    marketingAllowed: () => allowed().marketing,
    preferencesProcessingAllowed: () => allowed().preferences,
    saleOfDataAllowed: () => allowed().saleOfData,
    shouldShowBanner: () => visitor.current.consentRequired && !isAnswered(visitor.current),
    saleOfDataRegion: () => visitor.current.saleOfDataRegion,
    getRegion: () => visitor.current.region.countryCode + (visitor.current.region.provinceCode ?? ''),
    currentVisitorConsent: () => said(visitor),
  };
}

/** Return yes, no or nothing for each purpose. */
function said({current: {visitorConsent}}: VisitorPrivacy): Record<string, string> {
  const word = {true: 'yes', false: 'no', undefined: ''};
  return Object.fromEntries(PURPOSES.map((purpose) => [SPELT[purpose], word[`${visitorConsent[purpose]}`]]));
}

function collected({current}: VisitorPrivacy): Record<string, boolean> {
  const {analytics, marketing, preferences, saleOfData} = allowedBy(current);
  return {
    analyticsAllowed: analytics,
    marketingAllowed: marketing,
    preferencesAllowed: preferences,
    saleOfDataAllowed: saleOfData,
    firstPartyMarketingAllowed: marketing,
    thirdPartyMarketingAllowed: saleOfData,
  };
}
