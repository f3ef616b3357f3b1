// @vitest-environment jsdom
/// <reference types="@shopify/ui-extensions/purchase.checkout.block.render" />
import {signal} from '@preact/signals';
import {setUpExtension} from '@shopify/ui-extensions-tester';
import {fireEvent, waitFor} from '@testing-library/preact';
import {describe, expect, test, vi} from 'vitest';
import {TARGET, button, renderOffer, replying, words} from './block.ts';
import {answer, wireUpsell} from './offers.ts';
import {answered, live} from './privacy.ts';

describe('while the buyer stays', () => {
  const HELP = {offer_id: 'b1', kind: 'banner', message: {key: 'banner.help', args: {}}, why: []};
  const two = ['Oat biscuits', 'Rye crisps'].map((title, at) => wireUpsell({offer_id: title, product: {...wireUpsell().product, variant_id: 70 + at, title}}));
  const asks = (fetch: ReturnType<typeof replying>) => fetch.mock.calls.map(([, request]) => JSON.parse(String(request?.body)));
  /** The first answer, which says to ask again at once, then the others. */
  const answering = (...others: unknown[]) => {
    const bodies = [answer({offers: two, again_s: 0.01}), ...others];
    return vi.fn<typeof fetch>(async () => Response.json(bodies.shift() ?? answer({offers: []})));
  };

  test('a message joins, in the place of the last product', async () => {
    using extension = setUpExtension(TARGET);
    extension.shopify.settings.value = {max_offers: 2};
    const publish = vi.spyOn(extension.shopify.analytics, 'publish');
    const fetch = (extension.fetch = answering(answer({decision_id: 'd2', offers: [HELP]})));
    await renderOffer(extension);
    expect(words()).toContain('Rye crisps');
    await waitFor(() => expect(words()).toContain('message.banner.help'));
    expect(words()).toContain('Oat biscuits');
    expect(words()).not.toContain('Rye crisps');
    const [first, second] = asks(fetch);
    expect([first.wants, first.signals, second.wants]).toEqual([undefined, undefined, 'message']);
    expect(second.signals.dwell_ms).toBeGreaterThan(0);
    await waitFor(() => expect(publish.mock.calls.map(([, data]) => (data as {offer_id: string}).offer_id)).toContain('b1'));
  });

  test('what the buyer took stays in its place', async () => {
    using extension = setUpExtension(TARGET);
    let reply = (_: Response) => undefined as void;
    const bodies = [Promise.resolve(Response.json(answer({again_s: 0.01}))), new Promise<Response>((done) => (reply = done))];
    const fetch = (extension.fetch = vi.fn(() => bodies.shift()!));
    await renderOffer(extension);
    fireEvent.click(button());
    await waitFor(() => expect(words()).toContain('status.added'));
    await waitFor(() => expect(fetch).toHaveBeenCalledTimes(2));
    reply(Response.json(answer({decision_id: 'd2', offers: [HELP]})));
    await waitFor(() => expect(words()).toContain('message.banner.help'));
    expect(words()).toContain('status.added');
  });

  test('a message that was sent away gives the product its place back', async () => {
    using extension = setUpExtension(TARGET);
    extension.shopify.settings.value = {max_offers: 2};
    extension.fetch = answering(answer({decision_id: 'd2', offers: [HELP]}));
    await renderOffer(extension);
    await waitFor(() => expect(words()).toContain('message.banner.help'));
    fireEvent.click(Array.from(document.querySelectorAll('s-link, s-button')).filter((each) => each.textContent === 'button.dismiss').pop()!);
    await waitFor(() => expect(words()).toContain('Rye crisps'));
    expect(words()).not.toContain('message.banner.help');
  });

  test('a cart that changes meanwhile asks by itself, and nothing old joins', async () => {
    using extension = setUpExtension(TARGET);
    const fetch = (extension.fetch = replying(answer({offers: two, again_s: 3600})));
    const customerPrivacy = live(extension.shopify, answered(true));
    await renderOffer(extension);
    customerPrivacy.value = {...answered(true), region: {countryCode: 'DE'}};
    await waitFor(() => expect(fetch).toHaveBeenCalledTimes(2));
    expect(asks(fetch).map(({signals, wants}) => [signals, wants])).toEqual([[undefined, undefined], [undefined, undefined]]);
  });

  test('time runs from when the buyer sees the step', async () => {
    using extension = setUpExtension(TARGET);
    const rendered = signal(false);
    Object.assign(extension.shopify.extension, {rendered});
    const fetch = (extension.fetch = answering(answer({decision_id: 'd2', offers: [HELP]})));
    await renderOffer(extension);
    await new Promise((done) => setTimeout(done, 50));
    expect(fetch).toHaveBeenCalledTimes(1);
    rendered.value = true;
    await waitFor(() => expect(words()).toContain('message.banner.help'));
  });

  test('once the buyer allows less, nobody is told how long they stay', async () => {
    using extension = setUpExtension(TARGET);
    const fetch = (extension.fetch = answering(answer({offers: []})));
    const customerPrivacy = live(extension.shopify, answered(true));
    await renderOffer(extension);
    await waitFor(() => expect(fetch).toHaveBeenCalledTimes(2));
    customerPrivacy.value = answered(false);
    await waitFor(() => expect(fetch).toHaveBeenCalledTimes(3));
    expect(asks(fetch).map(({signals}) => signals !== undefined)).toEqual([false, true, false]);
  });
});
