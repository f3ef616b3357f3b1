import {describe, expect, test} from 'vitest';
import type {Offer} from '../src/answer.ts';
import {view, type CardView, type NoticeView, type ProductView, type Scene} from '../src/model.ts';
import type {Phase, State} from '../src/state.ts';
import {coupon, upsell} from './offers.ts';

const scene = (overrides: Partial<Scene> = {}): Scene => ({
  surface: 'checkout',
  settings: {max_offers: 1, show_reason: true, ask_privacy: false},
  can: {add: true, remove: true, discount: true},
  cartTitles: {'gid://shopify/Product/1': 'Milk'},
  currency: 'USD',
  storefrontUrl: 'https://shop.example.test/',
  ...overrides,
});
const ready = (phase: Phase, ...offers: Offer[]): State => ({loading: false, entries: offers.map((offer) => ({offer, phase}))});
const cards = (state: State, on = scene()): CardView[] => {
  const shown = view(state, on);
  return shown.kind === 'offers' ? shown.cards : [];
};
const product = (phase: Phase, on = scene(), offer = upsell()) => cards(ready(phase, offer), on)[0] as ProductView | undefined;
const notice = (phase: Phase, offer: Offer, on = scene()) => cards(ready(phase, offer), on)[0] as NoticeView | undefined;

const LOADING: State = {loading: true, entries: []};

describe('what is shown', () => {
  test('while loading, a skeleton with a row for each offer there may be', () => {
    const settings = {max_offers: 2, show_reason: false, ask_privacy: false};
    expect(view(LOADING, scene({settings}))).toEqual({kind: 'skeleton', heading: {key: 'heading.checkout'}, rows: 2, reason: false});
  });

  test('nothing when there is nothing to offer', () => {
    expect(view({loading: false, entries: []}, scene())).toEqual({kind: 'nothing'});
  });

  test('no skeleton where nothing may be added', () => {
    expect(view(LOADING, scene({can: {add: false, remove: false, discount: false}}))).toEqual({kind: 'nothing'});
  });

  test('while asking again, what was there before', () => {
    expect(view({...ready('offer', upsell()), loading: true}, scene()).kind).toBe('offers');
  });

  test('the heading is the merchant’s when there is one', () => {
    const settings = {heading: 'Pssst', max_offers: 1, show_reason: true, ask_privacy: false};
    expect(view(ready('offer', upsell()), scene({settings}))).toMatchObject({heading: 'Pssst'});
  });

  test('no more offers than the merchant allows, and one call to action', () => {
    const offers = ['o1', 'o2', 'o3'].map((offer_id) => upsell({offer_id}));
    const shown = cards(ready('offer', ...offers), scene({settings: {max_offers: 2, show_reason: true, ask_privacy: false}}));
    expect(shown.map(({button}) => button?.variant)).toEqual(['primary', 'secondary']);
  });
});

describe('an upsell in checkout', () => {
  test.each([
    ['USD', 12.5],
    ['EUR', undefined], // 12.50 dollars are not 12.50 euros, and what they are is Shopify's to say
  ])('a price in dollars is shown to who pays in %s as %s', (currency, price) => {
    expect(product('offer', scene({currency}))?.price).toBe(price);
  });

  test('a price without a currency is the cart’s', () => {
    const untold = upsell({product: {...upsell().product!, currency: undefined}});
    expect(product('offer', scene({currency: 'EUR'}), untold)?.price).toBe(12.5);
  });

  test.each<[Phase, string | undefined, string | undefined, Partial<NonNullable<ProductView['button']>>]>([
    ['offer', 'reason.bought_together_with', 'neutral', {text: {key: 'button.add'}, action: 'accept', loading: false, disabled: false}],
    ['adding', 'reason.bought_together_with', 'neutral', {text: {key: 'button.add'}, loading: true}],
    ['added', 'status.added', 'success', {text: {key: 'button.undo'}, action: 'undo', loading: false, variant: 'secondary'}],
    ['undoing', 'status.added', 'success', {text: {key: 'button.undo'}, action: 'undo', loading: true}],
    ['failed', 'status.failed', 'critical', {text: {key: 'button.retry'}, action: 'accept', loading: false}],
    ['sold_out', 'status.sold_out', 'critical', {text: {key: 'button.add'}, disabled: true}],
  ])('%s says %s', (phase, key, tone, button) => {
    const card = product(phase);
    expect(card?.line).toMatchObject({text: {key}, tone});
    expect(card?.button).toMatchObject(button);
  });

  test('the reason names the product that it speaks of', () => {
    expect(product('offer')?.line?.text).toEqual({key: 'reason.bought_together_with', args: {title: 'Milk'}});
  });

  test('the reason is left out when the merchant says so', () => {
    expect(product('offer', scene({settings: {max_offers: 1, show_reason: false, ask_privacy: false}}))?.line).toBeUndefined();
  });

  test('a discount is a badge where the code can be applied', () => {
    const offer = upsell({discount: {code: 'TEN', percentage: 10}});
    expect(product('offer', scene(), offer)?.badge).toEqual({key: 'discount.percentage', args: {percentage: 10}});
    expect(product('offer', scene({can: {add: true, remove: true, discount: false}}), offer)?.badge).toBeUndefined();
  });

  test('it is not shown where nothing may be added', () => {
    expect(product('offer', scene({can: {add: false, remove: true, discount: true}}))).toBeUndefined();
  });

  test('there is no undo where nothing may be removed', () => {
    expect(product('added', scene({can: {add: true, remove: false, discount: true}}))?.button).toBeUndefined();
  });

  test('without a product there is nothing to show', () => {
    expect(product('offer', scene(), upsell({product: undefined}))).toBeUndefined();
  });
});

describe('the thank-you page', () => {
  const thankYou = scene({surface: 'thank_you', can: {add: false, remove: false, discount: false}});

  test('an upsell links to a new cart that remembers the decision', () => {
    const href = product('offer', thankYou)?.button?.href;
    const [address, properties] = (href ?? '').split('?properties=');
    expect(address).toBe('https://shop.example.test/cart/70:1');
    expect(JSON.parse(atob(properties ?? ''))).toEqual({_tillwise_decision: 'd1', _tillwise_offer: 'o1'});
  });

  test('a shop with no storefront gets no link', () => {
    expect(product('offer', {...thankYou, storefrontUrl: undefined})?.button).toBeUndefined();
  });

  test('a coupon is for the next order', () => {
    const shown = notice('offer', coupon(), thankYou);
    expect(shown?.text.key).toBe('coupon.next_order');
    expect(shown?.button).toBeUndefined();
  });
});

describe('other kinds', () => {
  test.each<[Phase, string, boolean]>([
    ['offer', 'coupon.save', true],
    ['adding', 'coupon.save', true],
    ['added', 'coupon.applied', false],
    ['failed', 'coupon.failed', true],
  ])('a coupon when %s says %s', (phase, key, hasButton) => {
    const shown = notice(phase, coupon());
    expect(shown?.text).toEqual({key, args: {code: 'TEN', percentage: 10}});
    expect(Boolean(shown?.button)).toBe(hasButton);
  });

  test('a coupon is not shown where codes may not be applied', () => {
    expect(notice('offer', coupon(), scene({can: {add: true, remove: true, discount: false}}))).toBeUndefined();
  });

  test.each(['banner', 'message', 'progress'])('a %s says its message', (kind) => {
    const message = {key: 'progress.free_shipping', args: {amount: '4.20'}};
    expect(notice('offer', upsell({kind, message}))?.text).toEqual({key: 'message.progress.free_shipping', money: {amount: 4.2}});
  });

  test('a message of a later version, or with a gap unfilled, is not shown', () => {
    expect(notice('offer', upsell({kind: 'banner', message: {key: 'banner.tomorrow', args: {}}}))).toBeUndefined();
    expect(notice('offer', upsell({kind: 'progress', message: {key: 'progress.free_shipping', args: {}}}))).toBeUndefined();
  });

  test('a kind of a later version is not shown', () => {
    expect(view(ready('offer', upsell({kind: 'hologram'})), scene())).toEqual({kind: 'nothing'});
  });

  test('a message alone has no heading', () => {
    expect(view(ready('offer', coupon()), scene())).toMatchObject({kind: 'offers', heading: undefined});
  });
});
