// @vitest-environment jsdom
/// <reference types="@shopify/ui-extensions/purchase.thank-you.block.render" />
import {setUpExtension} from '@shopify/ui-extensions-tester';
import {waitFor} from '@testing-library/preact';
import {expect, test, vi} from 'vitest';
import {answer} from './offers.ts';

const TARGET = 'purchase.thank-you.block.render';
const replying = (body: unknown, status = 200) => vi.fn<typeof fetch>(async () => Response.json(body, {status}));

test('an offer is a link to a next order, and counts as shown', async () => {
  using extension = setUpExtension(TARGET);
  const fetch = (extension.fetch = replying(answer()));
  const publish = vi.spyOn(extension.shopify.analytics, 'publish');
  await extension.render();
  await waitFor(() => expect(document.body.textContent).toContain('Oat biscuits'));
  expect(document.querySelector('s-heading')?.textContent).toBe('heading.thank_you');
  const button = document.querySelector('s-button');
  expect(button?.textContent).toBe('button.buy');
  expect(button?.getAttribute('href')).toMatch('https://mock-shop.myshopify.com/cart/70:1?properties=');
  expect(JSON.parse(String(fetch.mock.calls[0]?.[1]?.body))).toMatchObject({surface: 'thank_you'});
  await waitFor(() => expect(publish).toHaveBeenCalledWith('tillwise:offer_shown', expect.objectContaining({surface: 'thank_you'})));
});

test('a skeleton stands in while the app is asked', async () => {
  using extension = setUpExtension(TARGET);
  extension.fetch = () => new Promise(() => undefined);
  await extension.render();
  expect(document.querySelectorAll('s-skeleton-paragraph')).toHaveLength(3);
});

test('no usable answer renders nothing', async () => {
  using extension = setUpExtension(TARGET);
  const fetch = (extension.fetch = replying({}, 503));
  await extension.render();
  await waitFor(() => expect(fetch).toHaveBeenCalled());
  await waitFor(() => expect(document.body.innerHTML).toBe(''));
});
