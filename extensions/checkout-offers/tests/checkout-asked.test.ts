// @vitest-environment jsdom
/// <reference types="@shopify/ui-extensions/purchase.checkout.block.render" />
import {setUpExtension} from '@shopify/ui-extensions-tester';
import {waitFor} from '@testing-library/preact';
import {describe, expect, test, vi} from 'vitest';
import {TARGET, one, replying, words} from './block.ts';
import {answer} from './offers.ts';
import {answered, live} from './privacy.ts';

describe('what the block asks for is what it shows', () => {
  const HELP = {offer_id: 'b1', kind: 'banner', message: {key: 'banner.help', args: {}}, why: []};
  const BAR = {offer_id: 'b2', kind: 'progress', message: {key: 'progress.free_shipping', args: {}}, progress: {current: '30', target: '50', currency: 'USD'}, why: []};
  const wanted = (fetch: ReturnType<typeof replying>) => fetch.mock.calls.map(([, request]) => JSON.parse(String(request?.body)).wants);

  test.each<[Record<string, boolean>, string | undefined]>([
    [{}, undefined],
    [{show_messages: false}, 'products'],
    [{show_products: false}, 'messages'],
  ])('with %o it asks for %s', async (settings, wants) => {
    using extension = setUpExtension(TARGET);
    extension.shopify.settings.value = settings;
    const fetch = (extension.fetch = replying(answer()));
    await extension.render();
    expect(wanted(fetch)).toEqual([wants]);
  });

  test('a block of messages has a banner and a bar', async () => {
    using extension = setUpExtension(TARGET);
    extension.shopify.settings.value = {show_products: false};
    extension.fetch = replying(answer({offers: [HELP, BAR]}));
    await extension.render();
    await waitFor(() => expect(words()).toContain('message.banner.help'));
    expect(one('s-progress')).not.toBeNull();
  });

  test('while the buyer stays it asks for the one that stands at the top', async () => {
    using extension = setUpExtension(TARGET);
    extension.shopify.settings.value = {show_products: false};
    const bodies = [answer({offers: [], again_s: 0.01}), answer({decision_id: 'd2', offers: [HELP]})];
    const fetch = (extension.fetch = vi.fn<typeof globalThis.fetch>(async () => Response.json(bodies.shift())));
    await extension.render();
    await waitFor(() => expect(words()).toContain('message.banner.help'));
    expect(wanted(fetch)).toEqual(['messages', 'message']);
  });

  test('a block that shows neither asks for nothing, whatever changes', async () => {
    using extension = setUpExtension(TARGET);
    extension.shopify.settings.value = {show_products: false, show_messages: false};
    const fetch = (extension.fetch = replying(answer()));
    const customerPrivacy = live(extension.shopify, answered(true));
    await extension.render();
    customerPrivacy.value = answered(false);
    await new Promise((done) => setTimeout(done, 0));
    expect(fetch).not.toHaveBeenCalled();
    expect(document.body.innerHTML).toBe('');
  });
});
