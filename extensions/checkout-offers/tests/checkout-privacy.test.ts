// @vitest-environment jsdom
/// <reference types="@shopify/ui-extensions/purchase.checkout.block.render" />
import {setUpExtension} from '@shopify/ui-extensions-tester';
import {fireEvent, waitFor} from '@testing-library/preact';
import {describe, expect, test, vi} from 'vitest';
import {TARGET, button, one, renderOffer, replying, words} from './block.ts';
import {answer, wireUpsell} from './offers.ts';
import {answered, live, privacy} from './privacy.ts';

describe('when the visitor’s privacy changes in the middle of a checkout', () => {
  const cards = () => Array.from(document.querySelectorAll('s-text[type=strong]'), (each) => each.textContent);
  const titled = (offer_id: string, title: string) => answer({offers: [wireUpsell({offer_id, product: {...wireUpsell().product, variant_id: offer_id.length, title}})]});

  test('the next question carries it', async () => {
    using extension = setUpExtension(TARGET);
    const fetch = (extension.fetch = replying(answer()));
    const customerPrivacy = live(extension.shopify, answered(true));
    await renderOffer(extension);
    customerPrivacy.value = {...answered(false), region: {countryCode: 'DE'}};
    await waitFor(() => expect(fetch).toHaveBeenCalledTimes(2));
    const [first, second] = fetch.mock.calls.map(([, request]) => JSON.parse(String(request?.body)));
    expect(first.consent).toEqual({analytics: true, marketing: true, preferences: true, sale_of_data: true});
    expect(second.consent).toEqual({analytics: false, marketing: false, preferences: false, sale_of_data: false});
    expect([first.region, second.region]).toEqual([undefined, {country: 'DE'}]);
  });

  test('a region that changes alone is worth a question too', async () => {
    using extension = setUpExtension(TARGET);
    const fetch = (extension.fetch = replying(answer()));
    const customerPrivacy = live(extension.shopify, answered(true));
    await renderOffer(extension);
    customerPrivacy.value = {...answered(true), region: {countryCode: 'DE'}};
    await waitFor(() => expect(fetch).toHaveBeenCalledTimes(2));
    expect(words()).toContain('Oat biscuits');
  });

  test('what was offered under a wider consent gives way at once, then to the new answer', async () => {
    using extension = setUpExtension(TARGET);
    let reply = (_: Response) => undefined as void;
    extension.fetch = replying(titled('p', 'Your usual'));
    const customerPrivacy = live(extension.shopify, answered(true));
    await extension.render();
    await waitFor(() => expect(cards()).toEqual(['Your usual']));
    extension.fetch = () => new Promise((resolve) => (reply = resolve));
    customerPrivacy.value = answered(false);
    await waitFor(() => expect(cards()).toEqual([]));
    expect(one('s-skeleton-paragraph')).not.toBeNull();
    reply(Response.json(titled('c', 'Goes with milk')));
    await waitFor(() => expect(cards()).toEqual(['Goes with milk']));
  });

  test('with no new answer nothing personal is left', async () => {
    using extension = setUpExtension(TARGET);
    extension.fetch = replying(answer());
    const customerPrivacy = live(extension.shopify, answered(true));
    await renderOffer(extension);
    extension.fetch = replying({}, 503);
    customerPrivacy.value = answered(false);
    await waitFor(() => expect(document.body.innerHTML).toBe(''));
  });

  test('what the buyer took stays, and can be undone', async () => {
    using extension = setUpExtension(TARGET);
    extension.fetch = replying(answer());
    const customerPrivacy = live(extension.shopify, answered(true));
    await renderOffer(extension);
    fireEvent.click(button());
    await waitFor(() => expect(words()).toContain('status.added'));
    const fetch = (extension.fetch = replying(answer({offers: []})));
    customerPrivacy.value = answered(false);
    await waitFor(() => expect(fetch).toHaveBeenCalled());
    expect(button().textContent).toBe('button.undo');
  });
});

describe('the browser that the cart names', () => {
  const NAMED = [{key: 'gift', value: 'yes'}, {key: '_tillwise_browser', value: 'abc-1'}];
  const clients = (fetch: ReturnType<typeof replying>) => fetch.mock.calls.map(([, request]) => JSON.parse(String(request?.body)).client_id);

  test('goes along with the question, and off the order with a refusal, of which the app is told whose it is', async () => {
    using extension = setUpExtension(TARGET);
    const fetch = (extension.fetch = replying(answer()));
    const changed = vi.spyOn(extension.shopify, 'applyAttributeChange');
    extension.shopify.attributes.value = NAMED;
    const customerPrivacy = live(extension.shopify, answered(true));
    await renderOffer(extension);
    expect(changed).not.toHaveBeenCalled();
    customerPrivacy.value = answered(false);
    await waitFor(() => expect(changed.mock.calls).toEqual([[{type: 'removeAttribute', key: '_tillwise_browser'}]]));
    expect(clients(fetch)).toEqual(['abc-1', 'abc-1']);
  });

  test('refuses nothing where the checkout goes on in another, which was not asked yet', async () => {
    using extension = setUpExtension(TARGET);
    const fetch = (extension.fetch = replying(answer()));
    extension.shopify.attributes.value = NAMED;
    live(extension.shopify, privacy());
    await renderOffer(extension);
    expect(clients(fetch)).toEqual([undefined]);
  });

  test('stays where nothing may be changed any more', async () => {
    using extension = setUpExtension(TARGET);
    extension.fetch = replying(answer());
    const changed = vi.spyOn(extension.shopify, 'applyAttributeChange');
    const instructions = extension.shopify.instructions.value;
    extension.shopify.instructions.value = {...instructions, attributes: {canUpdateAttributes: false}};
    extension.shopify.attributes.value = NAMED;
    live(extension.shopify, answered(false));
    await renderOffer(extension);
    expect(changed).not.toHaveBeenCalled();
  });

  test.each(['', 'of two words', 'x'.repeat(101)])('is none with the id "%s", which a link may have brought', async (value) => {
    using extension = setUpExtension(TARGET);
    const fetch = (extension.fetch = replying(answer()));
    extension.shopify.attributes.value = [{key: '_tillwise_browser', value}];
    await renderOffer(extension);
    expect(clients(fetch)).toEqual([undefined]);
  });

  test('is not asked for with an order, which may be looked at in another', async () => {
    for (const [target, client] of [['purchase.thank-you.block.render', 'abc-1'], ['customer-account.order-status.block.render', undefined]] as const) {
      using extension = setUpExtension(target);
      const fetch = (extension.fetch = replying(answer()));
      Object.assign(extension.shopify, {attributes: {value: NAMED}});
      await extension.render();
      await waitFor(() => expect(clients(fetch)).toEqual([client]));
    }
  });
});
