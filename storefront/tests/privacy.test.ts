import {afterEach, expect, test, vi} from 'vitest';
import {clientId, consent, mayWatch, region} from '../src/privacy.ts';
import {publish} from '../src/publish.ts';
import {ALL, NOTHING, visitor} from './page.ts';

afterEach(() => vi.unstubAllGlobals());

test('what the visitor said and Shopify allows is a yes, a refusal of either a no, and no word is no answer yet', () => {
  visitor({analytics: 'yes', marketing: 'yes', preferences: 'no'}, {marketingAllowed: false, preferencesProcessingAllowed: true, saleOfDataAllowed: true});
  expect(consent()).toEqual({analytics: true, marketing: false, preferences: false, sale_of_data: null});
});

test('a page without the privacy API has no answer to any purpose, and watches nobody', () => {
  vi.stubGlobal('Shopify', undefined);
  expect(consent()).toEqual({analytics: null, marketing: null, preferences: null, sale_of_data: null});
  expect(mayWatch()).toBe(false);
  expect(region()).toBeUndefined();
});

test.each([
  ['USCA', {country: 'US', province: 'CA'}],
  ['DE', {country: 'DE'}],
  ['', undefined],
])('the region %s is read as %o', (told, read) => {
  visitor(ALL, {}, told);
  expect(region()).toEqual(read);
});

test('the browser is named under analytics alone', () => {
  document.cookie = '_shopify_y=abc-1';
  visitor(ALL);
  expect(clientId()).toBe('abc-1');
  visitor({...ALL, analytics: 'no'});
  expect(clientId()).toBeUndefined();
});

test("Shopify's Server-Timing names the browser where its cookie is kept from scripts", () => {
  const timed = [{serverTiming: [{name: '_s', description: 's'}, {name: '_y', description: 'from-header'}]}];
  vi.spyOn(performance, 'getEntriesByType').mockReturnValue(timed as unknown as PerformanceEntryList);
  visitor(ALL);
  expect(clientId()).toBe('from-header');
  vi.restoreAllMocks();
});

test('nothing is published without analytics', () => {
  const before = visitor({...ALL, analytics: 'no'});
  publish('exit_intent');
  expect(before).toEqual([]);
  expect(visitor(NOTHING)).toEqual([]);
  const after = visitor(ALL);
  publish('exit_intent');
  expect(after).toEqual([{name: 'tillwise:exit_intent', data: {}}]);
});
