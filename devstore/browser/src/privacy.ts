/** What Shopify's customer privacy knows of a visitor, and what follows from it. */

/** Shopify's four purposes, settled: what may be done now. As checkout extensions spell them. */
export interface Consent {
  readonly analytics: boolean;
  readonly marketing: boolean;
  readonly preferences: boolean;
  readonly saleOfData: boolean;
}

/** The visitor's own word; a purpose that is missing was not answered. */
export type Said = {readonly [purpose in keyof Consent]?: boolean};

export interface Privacy {
  readonly visitorConsent: Said;
  /** The region's policy: whether to ask before, and whether to offer an opt-out of data sale. */
  readonly consentRequired: boolean;
  readonly saleOfDataRegion: boolean;
  readonly region: {readonly countryCode: string; readonly provinceCode: string | null};
  /** The browser sends Global Privacy Control. */
  readonly gpc: boolean;
}

export const PURPOSES = ['analytics', 'marketing', 'preferences', 'saleOfData'] as const;

/** Return what may be done: as the visitor said, else as the region's policy has it; a GPC signal forbids the sale. */
export function allowedBy({visitorConsent, consentRequired, gpc}: Privacy): Consent {
  const allowed = (purpose: keyof Consent): boolean => visitorConsent[purpose] ?? !consentRequired;
  return {
    analytics: allowed('analytics'),
    marketing: allowed('marketing'),
    preferences: allowed('preferences'),
    saleOfData: allowed('saleOfData') && !gpc,
  };
}

/** Return whether a banner was answered; the sale of data alone is another question. */
export function isAnswered({visitorConsent: {analytics, marketing, preferences}}: Privacy): boolean {
  return [analytics, marketing, preferences].some((said) => said !== undefined);
}

/** Return the privacy once the visitor said more; what they leave out stays as it was. */
export function saying(privacy: Privacy, more: Said): Privacy {
  const said = PURPOSES.map((purpose) => [purpose, more[purpose] ?? privacy.visitorConsent[purpose]] as const);
  return {...privacy, visitorConsent: Object.fromEntries(said.filter(([, answer]) => answer !== undefined))};
}

/** Return the `customerPrivacy` of an extension. The shop shows its banner in every region. */
export function customerPrivacyOf(privacy: Privacy): Record<string, unknown> {
  const {countryCode, provinceCode} = privacy.region;
  return {
    allowedProcessing: allowedBy(privacy),
    visitorConsent: privacy.visitorConsent,
    metafields: [],
    shouldShowBanner: !isAnswered(privacy),
    saleOfDataRegion: privacy.saleOfDataRegion,
    region: {countryCode, provinceCode: provinceCode ?? undefined},
  };
}
