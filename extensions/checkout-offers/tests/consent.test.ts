import type {CustomerPrivacy} from '@shopify/ui-extensions/checkout';
import {afterEach, describe, expect, test, vi} from 'vitest';
import {consentOf, hasGlobalPrivacyControl, isNarrower, regionOf, strictest, type Answer, type Consent} from '../src/consent.ts';
import CASES from './consent.cases.json';
import {privacy} from './privacy.ts';

const consent = (answer: Answer, overrides: Partial<Consent> = {}): Consent => ({
  analytics: answer,
  marketing: answer,
  preferences: answer,
  sale_of_data: answer,
  ...overrides,
});

describe('the stricter of two sources is sent', () => {
  test.each(CASES)('said $visitor_consent, allowed $allowed_processing: $sent', ({visitor_consent, allowed_processing, sent}) => {
    expect(strictest(visitor_consent ?? undefined, allowed_processing ?? undefined)).toBe(sent);
  });

  test('the table has every pair once', () => {
    const pairs = CASES.map(({visitor_consent, allowed_processing}) => `${visitor_consent} ${allowed_processing}`);
    expect(new Set(pairs).size).toBe(9); // 3 answers × 3 rulings
  });

  test('a stricter source never lets more through', () => {
    const looseFirst = [true, undefined, false];
    const rank = [true, null, false];
    for (const said of looseFirst) {
      const ranks = looseFirst.map((allowed) => rank.indexOf(strictest(said, allowed)));
      expect(ranks[2]).toBe(Math.max(...ranks));
    }
  });

  test('each purpose is judged by itself', () => {
    const said = {analytics: true, marketing: false, preferences: undefined};
    const allowed = {analytics: true, marketing: true, preferences: true, saleOfData: false};
    expect(consentOf(privacy({visitorConsent: said, allowedProcessing: allowed}))).toEqual({
      analytics: true,
      marketing: false,
      preferences: null,
      sale_of_data: false,
    });
  });

  test('a host that says nothing has no answer', () => {
    expect(consentOf({} as CustomerPrivacy)).toEqual(consent(null));
  });
});

describe('Global Privacy Control', () => {
  afterEach(() => void vi.unstubAllGlobals());

  test('goes along when the browser sends it', () => {
    vi.stubGlobal('navigator', {globalPrivacyControl: true});
    expect(consentOf(privacy()).gpc).toBe(true);
  });

  test.each([[undefined], [{}], [{globalPrivacyControl: false}], [{globalPrivacyControl: '1'}]])('%o is no signal', (navigator) => {
    vi.stubGlobal('navigator', navigator);
    expect(hasGlobalPrivacyControl()).toBe(false);
    expect(consentOf(privacy())).not.toHaveProperty('gpc');
  });
});

test.each([
  [undefined, undefined],
  [{}, undefined],
  [{countryCode: 'US' as const}, {country: 'US'}],
  [{countryCode: 'US' as const, provinceCode: 'CA'}, {country: 'US', province: 'CA'}],
])('the region %o is sent as %o', (region, expected) => {
  expect(regionOf(privacy({region}))).toEqual(expected);
});

describe('consent is narrower when a purpose is allowed less', () => {
  test.each<[Answer, Answer, boolean]>([
    [true, false, true],
    [true, null, true],
    [null, false, true],
    [true, true, false],
    [null, true, false],
    [false, true, false],
  ])('from %o to %o: %o', (before, now, expected) => {
    expect(isNarrower(consent(now), consent(before))).toBe(expected);
  });

  test('even if another purpose is allowed more', () => {
    expect(isNarrower(consent(false, {marketing: true}), consent(false, {analytics: true}))).toBe(true);
  });
});
