/** What the visitor allows: Shopify's banner decides, and this follows it. */
import {hasGlobalPrivacyControl, strictest, type Consent, type Region} from '../../extensions/checkout-offers/src/consent.ts';
import {shopify} from './shopify.ts';

export {isNarrower, type Consent} from '../../extensions/checkout-offers/src/consent.ts';

const UNKNOWN: Consent = {analytics: null, marketing: null, preferences: null, sale_of_data: null};
const WORDS: Record<string, boolean> = {yes: true, no: false};

/** Call back once Shopify's privacy API is there, or is known not to come. */
export function whenKnown(then: () => void): void {
  const {loadFeatures} = shopify();
  if (!loadFeatures) return then();
  loadFeatures([{name: 'consent-tracking-api', version: '0.1'}], () => then());
}

/** Call back with each answer that the visitor gives to the banner. */
export function whenAnswered(then: () => void): void {
  document.addEventListener('visitorConsentCollected', then);
}

/** Return whether the visitor may be watched; only what Shopify allows in so many words is. */
export function mayWatch(): boolean {
  return shopify().customerPrivacy?.analyticsProcessingAllowed() === true;
}

/** Return the consent to send along with a question: the stricter of the visitor's word and what Shopify allows. */
export function consent(): Consent {
  const privacy = shopify().customerPrivacy;
  const said = privacy?.currentVisitorConsent() ?? {};
  const known = privacy && {
    analytics: strictest(WORDS[said.analytics ?? ''], privacy.analyticsProcessingAllowed()),
    marketing: strictest(WORDS[said.marketing ?? ''], privacy.marketingAllowed()),
    preferences: strictest(WORDS[said.preferences ?? ''], privacy.preferencesProcessingAllowed()),
    sale_of_data: strictest(WORDS[said.sale_of_data ?? ''], privacy.saleOfDataAllowed()),
  };
  return {...(known ?? UNKNOWN), ...(hasGlobalPrivacyControl() && {gpc: true as const})};
}

/** Return where the visitor is; undefined when Shopify does not know it. */
export function region(): Region | undefined {
  const [, country, province] = /^([A-Z]{2})([A-Z0-9]*)$/.exec(shopify().customerPrivacy?.getRegion?.() ?? '') ?? [];
  return country ? {country, ...(province && {province})} : undefined;
}

/**
 * Return Shopify's id of this browser, as the pixel's events name it; undefined until analytics is allowed.
 * Shopify tells it in the page's Server-Timing, and in a cookie where that is not kept from scripts.
 */
export function clientId(): string | undefined {
  if (!mayWatch()) return undefined;
  const [page] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  const timed = page?.serverTiming?.find(({name}) => name === '_y')?.description;
  return timed || /(?:^|; )_shopify_y=([^;]+)/.exec(document.cookie)?.[1];
}
