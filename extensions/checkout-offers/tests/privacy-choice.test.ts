// @vitest-environment jsdom
/// <reference types="@shopify/ui-extensions/purchase.checkout.block.render" />
import {setUpExtension} from '@shopify/ui-extensions-tester';
import {fireEvent, waitFor} from '@testing-library/preact';
import {afterEach, expect, test, vi} from 'vitest';
import {consentChange, isUnanswered} from '../src/privacy.ts';
import {answer} from './offers.ts';
import {answered, live, privacy} from './privacy.ts';

const TARGET = 'purchase.checkout.block.render';
type Kept = {type: 'success'} | {type: 'error'; message: string};

const words = () => document.body.textContent ?? '';
const button = (text: string) => Array.from(document.querySelectorAll<HTMLElement>('s-button')).find((each) => each.textContent === text);
const press = (text: string) => fireEvent.click(button(text)!);

/** A checkout of a shop that asks, before a buyer who has not answered. */
async function asking(change: () => Promise<Kept> = async () => ({type: 'success'})) {
  const extension = setUpExtension(TARGET);
  const apply = vi.fn(change);
  extension.fetch = vi.fn<typeof fetch>(async () => Response.json(answer({offers: []})));
  extension.shopify.settings.value = {ask_privacy: true};
  extension.shopify.customerPrivacy.value = privacy();
  extension.shopify.applyTrackingConsentChange = apply;
  await extension.render();
  return {extension, apply};
}

afterEach(() => void vi.unstubAllGlobals());

test('the buyer is asked one question, and either answer is as easy to give', async () => {
  using _ = (await asking()).extension;
  expect(words()).toContain('privacy.question');
  expect(document.querySelector('s-link')).toBeNull();
  const [decline, allow] = [button('privacy.decline')!, button('privacy.allow')!];
  for (const name of ['variant', 'inlineSize', 'tone']) expect(allow.getAttribute(name)).toBe(decline.getAttribute(name));
});

test('allowing is kept with Shopify, and the question goes', async () => {
  const {extension, apply} = await asking();
  using _ = extension;
  expect(words()).toContain('privacy.question');
  press('privacy.allow');
  await waitFor(() => expect(words()).not.toContain('privacy.question'));
  expect(apply.mock.calls).toEqual([[{type: 'changeVisitorConsent', analytics: true, marketing: true, preferences: true, saleOfData: undefined}]]);
});

test('declining is a no to all four purposes', async () => {
  const {extension, apply} = await asking();
  using _ = extension;
  press('privacy.decline');
  await waitFor(() => expect(words()).not.toContain('privacy.question'));
  expect(apply.mock.calls).toEqual([[{type: 'changeVisitorConsent', analytics: false, marketing: false, preferences: false, saleOfData: false}]]);
});

test('while an answer is saved its button is busy and the other waits', async () => {
  const {extension, apply} = await asking(() => new Promise(() => undefined));
  using _ = extension;
  press('privacy.allow');
  await waitFor(() => expect(button('privacy.allow')?.getAttribute('loading')).toBe('true'));
  expect(button('privacy.decline')?.getAttribute('disabled')).toBe('true');
  press('privacy.decline');
  expect(apply).toHaveBeenCalledTimes(1);
});

test.each([
  ['is refused', async (): Promise<Kept> => ({type: 'error', message: 'No capability'})],
  ['breaks', async (): Promise<Kept> => Promise.reject(new Error('offline'))],
])('an answer that %s says so, and may be given again', async (_, failing) => {
  const {extension, apply} = await asking(failing);
  using __ = extension;
  press('privacy.decline');
  await waitFor(() => expect(document.querySelector('[accessibilityRole=alert]')?.textContent).toBe('privacy.failed'));
  apply.mockImplementation(async () => ({type: 'success'}));
  press('privacy.decline');
  await waitFor(() => expect(words()).not.toContain('privacy.question'));
  expect(apply).toHaveBeenCalledTimes(2);
});

test('the question goes when it is answered elsewhere', async () => {
  using extension = setUpExtension(TARGET);
  extension.fetch = vi.fn<typeof fetch>(async () => Response.json(answer({offers: []})));
  extension.shopify.settings.value = {ask_privacy: true};
  const customerPrivacy = live(extension.shopify, privacy());
  await extension.render();
  expect(words()).toContain('privacy.question');
  customerPrivacy.value = answered(false);
  await waitFor(() => expect(words()).not.toContain('privacy.question'));
});

test.each([
  ['the merchant did not turn it on', {}, privacy()],
  ['Shopify would show no banner', {ask_privacy: true}, privacy({shouldShowBanner: false})],
  ['the buyer has answered', {ask_privacy: true}, {...answered(true), shouldShowBanner: true}],
  ['the buyer has answered in part', {ask_privacy: true}, privacy({visitorConsent: {marketing: false}})],
])('nobody is asked where %s', async (_, settings, customerPrivacy) => {
  using extension = setUpExtension(TARGET);
  extension.fetch = vi.fn<typeof fetch>(async () => Response.json(answer()));
  extension.shopify.settings.value = settings;
  extension.shopify.customerPrivacy.value = customerPrivacy;
  await extension.render();
  await waitFor(() => expect(words()).toContain('Oat biscuits'));
  expect(words()).not.toContain('privacy.question');
});

test('nobody is asked on a page that could not keep the answer', async () => {
  using extension = setUpExtension('purchase.thank-you.block.render');
  extension.fetch = vi.fn<typeof fetch>(async () => Response.json(answer()));
  extension.shopify.settings.value = {ask_privacy: true};
  extension.shopify.customerPrivacy.value = privacy();
  Object.assign(extension.shopify, {applyTrackingConsentChange: undefined});
  await extension.render();
  await waitFor(() => expect(words()).toContain('Oat biscuits'));
  expect(words()).not.toContain('privacy.question');
});

test('an answer about the sale of data alone leaves the question open', () => {
  expect(isUnanswered(privacy({visitorConsent: {saleOfData: false}}))).toBe(true);
});

test.each([
  [true, undefined, false, undefined],
  [true, true, false, true],
  [true, false, false, false],
  [true, true, true, false],
  [false, true, false, false],
])('answered %o, the sale of data said %o before, signal %o: %o', (allow, before, gpc, expected) => {
  expect(consentChange(allow, privacy({visitorConsent: {saleOfData: before}}), gpc).saleOfData).toBe(expected);
});
