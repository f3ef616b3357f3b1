import {describe, expect, test} from 'vitest';
import {view, type CardView, type NoticeView, type ProductView, type Scene} from '../src/model.ts';
import type {Arg, Offer} from '../src/offer.ts';
import {painted, type Phase, type State} from '../src/state.ts';
import type {Words} from '../src/words.ts';
import {coupon, scene, SETTINGS, upsell} from './offers.ts';

const settings = (chosen: Partial<typeof SETTINGS>) => ({...SETTINGS, ...chosen});
const ready = (phase: Phase, ...offers: Offer[]): State => ({
  loading: false,
  entries: offers.map((offer) => ({id: offer.offer_id, offer, phase})),
});
const cards = (state: State, on = scene()): CardView[] => {
  const shown = view(state, on);
  return shown.kind === 'offers' ? shown.cards : [];
};
const product = (phase: Phase, on = scene(), offer = upsell()) => cards(ready(phase, offer), on)[0] as ProductView | undefined;
const notice = (phase: Phase, offer: Offer, on = scene()) => cards(ready(phase, offer), on)[0] as NoticeView | undefined;
const OATS = upsell().product!.variant_id;
const ALL = scene().can;
const NO_ADDING = {add: false, remove: false, codes: false, discount: false};

const LOADING: State = {loading: true, entries: []};

describe('what is shown', () => {
  test('while loading, a skeleton with a row for each offer there may be', () => {
    expect(view(LOADING, scene({settings: settings({max_offers: 2, show_reason: false})}))).toEqual({
      kind: 'skeleton', heading: {key: 'heading.checkout'}, rows: 2, reason: false,
    });
  });

  test('nothing when there is nothing to offer', () => {
    expect(view({loading: false, entries: []}, scene())).toEqual({kind: 'nothing'});
  });

  test.each<[string, Partial<Scene>]>([
    ['nothing may be added', {can: NO_ADDING}],
    ['the merchant wants no products', {settings: settings({show_products: false})}],
  ])('no skeleton where %s', (_, overrides) => {
    expect(view(LOADING, scene(overrides))).toEqual({kind: 'nothing'});
  });

  test('while asking again, what was there before', () => {
    expect(view({...ready('offer', upsell()), loading: true}, scene()).kind).toBe('offers');
  });

  test('the heading is the merchant’s when there is one', () => {
    expect(view(ready('offer', upsell()), scene({settings: settings({heading: 'Pssst'})}))).toMatchObject({heading: 'Pssst'});
  });

  test('no more products than the merchant allows, and one call to action', () => {
    const offers = ['o1', 'o2', 'o3'].map((offer_id) => upsell({offer_id}));
    const shown = cards(ready('offer', ...offers), scene({settings: settings({max_offers: 2})})) as ProductView[];
    expect(shown.map(({button}) => button?.variant)).toEqual(['primary', 'secondary']);
  });

  test('messages stand above the products and take nothing from their number', () => {
    const shown = cards(ready('offer', upsell(), coupon()), scene());
    expect(shown.map(({layout}) => layout)).toEqual(['notice', 'product']);
  });

  test.each([
    [{show_products: false}, ['notice']],
    [{show_messages: false}, ['product']],
  ])('with %o there is only %s', (chosen, expected) => {
    expect(cards(ready('offer', upsell(), coupon()), scene({settings: settings(chosen)})).map(({layout}) => layout)).toEqual(expected);
  });

  test('what was refused makes room for the next', () => {
    const state = ready('offer', upsell(), upsell({offer_id: 'o2'}));
    state.entries[0]!.phase = 'dismissed';
    expect(cards(state).map(({id}) => id)).toEqual(['o2']);
  });

  test.each([
    [1, ['product']],
    [2, ['notice', 'product']],
    [3, ['notice', 'notice', 'product']],
  ])('of %i boxes that were painted ahead one stays a product’s', (boxes, expected) => {
    const ahead = painted([upsell(), upsell({offer_id: 'o2'}), upsell({offer_id: 'o3'})].slice(0, boxes));
    const messages = ready('offer', coupon(), coupon({offer_id: 'c2'})).entries;
    const after = view({...ahead, entries: [...messages, ...ahead.entries]}, scene({settings: settings({max_offers: 3})}));
    expect(after).toMatchObject({boxed: true, cards: expected.map((layout) => ({layout})), heading: {key: 'heading.checkout'}});
  });

  test('once the product has had its time, the message that found no box has its place', () => {
    const ahead = painted([upsell()]);
    const after = {...ahead, entries: [...ready('offer', coupon()).entries, ...ahead.entries], waited: true as const};
    expect(view(after, scene())).toMatchObject({cards: [{layout: 'notice', boxed: true}], heading: {key: 'heading.checkout'}});
  });

  test.each<[Phase, boolean, string[]]>([
    ['offer', false, ['notice']],
    ['added', true, ['product', 'notice']],
    ['failed', true, ['product', 'notice']],
    ['offer', true, ['product', 'notice']], // added and taken back
  ])('a message that comes late, beside a product that is “%s” and was touched (%s), makes %j', (phase, touched, expected) => {
    const [product] = ready(phase, upsell()).entries;
    const late = {...ready('offer', coupon()).entries[0]!, late: true as const};
    const entries = [{...product!, ...(touched && {touched: true as const})}, late];
    expect(cards({loading: false, entries}).map(({layout}) => layout)).toEqual(expected);
  });

  test('a message comes into the box of what the decision does not offer', () => {
    const ahead = painted([upsell({decision_id: undefined})]);
    const after = {...ahead, entries: [...ready('offer', coupon()).entries, ...ahead.entries]};
    expect(view(after, scene())).toMatchObject({boxed: true, cards: [{layout: 'notice'}]});
  });
});

describe('an upsell in checkout', () => {
  test.each([
    ['USD', 12.5],
    ['EUR', undefined], // 12.50 dollars are not 12.50 euros, and what they are is Shopify's to say
  ])('a price in dollars is shown to who pays in %s as %s', (currency, price) => {
    expect(product('offer', scene({currency}))?.price).toBe(price);
  });

  test.each([
    ['USD', {amount: 13.75, currency: 'USD'}, 13.75], // a market with prices of its own
    ['EUR', {amount: 11.2, currency: 'EUR'}, 11.2],
    ['CHF', {amount: 11.2, currency: 'EUR'}, undefined],
    ['USD', {amount: 11.2, currency: 'EUR'}, 12.5], // not what this checkout is paid in, so the shop's stays
  ])('who pays in %s where the market says %o is shown %s', (currency, told, price) => {
    expect(product('offer', scene({currency, prices: new Map([[OATS, told]])}))?.price).toBe(price);
  });

  test('what a measure costs stands beside the price that it goes with, and beside no other', () => {
    const told = {amount: 11.2, currency: 'EUR', unit: {amount: 22.4, per: 'kg'}};
    const unit = (on: Partial<Scene>) => product('offer', scene({prices: new Map([[OATS, told]]), ...on}))?.unit;
    expect(unit({currency: 'EUR'})).toEqual(told.unit);
    expect([unit({currency: 'USD'}), unit({currency: 'EUR', ownPrices: true})]).toEqual([undefined, undefined]);
  });

  test('a company is shown none of the market’s either', () => {
    expect(product('offer', scene({ownPrices: true, prices: new Map([[OATS, {amount: 13.75, currency: 'USD'}]])}))?.price).toBeUndefined();
  });

  test('one that the market does not sell can’t be pressed', () => {
    const shown = product('offer', scene({prices: new Map([[OATS, null]])}));
    expect(shown).toMatchObject({line: {text: {key: 'status.unavailable'}, tone: 'neutral'}, button: {disabled: true}, price: undefined});
    const later = product('offer', scene({surface: 'thank_you', prices: new Map([[OATS, null]])}))?.button;
    expect(later).toMatchObject({disabled: true});
    expect(later?.href).toBeUndefined();
  });

  test('what is in the order already can be taken out of it whatever the market says', () => {
    expect(product('added', scene({prices: new Map([[OATS, null]])}))).toMatchObject({line: {text: {key: 'status.added'}}, button: {disabled: false, action: 'undo'}});
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
    ['stuck', 'status.stuck', 'critical', {text: {key: 'button.undo'}, action: 'undo', loading: false, variant: 'secondary'}],
    ['failed', 'status.failed', 'critical', {text: {key: 'button.retry'}, action: 'accept', loading: false}],
    ['sold_out', 'status.sold_out', 'critical', {text: {key: 'button.add'}, disabled: true}],
    ['unavailable', 'status.unavailable', 'critical', {text: {key: 'button.add'}, disabled: true}],
  ])('%s says %s', (phase, key, tone, button) => {
    const card = product(phase);
    expect(card?.line).toMatchObject({text: {key}, tone});
    expect(card?.button).toMatchObject(button);
  });

  test('the reason names the product that it speaks of', () => {
    expect(product('offer')?.line?.text).toEqual({key: 'reason.bought_together_with', args: {title: 'Milk'}});
  });

  test('the merchant’s own words stand in the reason’s place', () => {
    const message = {key: 'upsell.merchant_pick', text: 'Ours: {product}', args: {product: 'Oat biscuits'}};
    expect(product('offer', scene(), upsell({message}))?.line?.text).toEqual({text: message.text, args: message.args});
    expect(product('offer', scene(), upsell({message: {...message, args: {}}}))?.line?.text).toMatchObject({key: 'reason.bought_together_with'});
  });

  test('the reason is left out when the merchant says so', () => {
    expect(product('offer', scene({settings: settings({show_reason: false})}))?.line).toBeUndefined();
  });

  test('a long title is cut, and its whole said to who does not see it', () => {
    const title = 'Kombinationsgeschirrspülmaschinenreiniger mit Zitrone, 24 Stück';
    const card = product('offer', scene(), upsell({product: {...upsell().product!, title}}));
    expect(card?.title).toBe('Kombin|ations|geschi|rrspül|maschi|nenrei…'.replaceAll('|', '\u200b'));
    expect(card?.button?.label.args).toEqual({title});
  });

  test('one of several variants says which, and in full to who does not see it', () => {
    const shirt = {...upsell().product!, title: 'Long-sleeved summer shirt', variant: 'Extra large / Midnight'};
    const card = product('offer', scene(), upsell({product: shirt}));
    expect(card?.title).toBe('Long-sleeved summ…, Extra large / Mi…');
    const full = {title: 'Long-sleeved summer shirt, Extra large / Midnight'};
    expect([card?.button?.label, card?.dismiss].map((said) => said?.args)).toEqual([full, full]);
  });

  test('a variant has the room that its product leaves it', () => {
    const tee = {...upsell().product!, title: 'Tee', variant: 'Extra large / Midnight blue'};
    expect(product('offer', scene(), upsell({product: tee}))?.title).toBe('Tee, Extra large / Midnight blue');
  });

  test('what is in the cart already is not offered', () => {
    const inCart = new Set([upsell().product!.variant_id]);
    expect(product('offer', scene({inCart}))).toBeUndefined();
    expect(product('added', scene({inCart}))?.line?.text).toEqual({key: 'status.added'});
  });

  test.each<[Phase, boolean]>([['offer', true], ['adding', false], ['added', false], ['failed', true], ['sold_out', true]])(
    'while %s it can be refused: %s', (phase, can) => {
      expect(Boolean(product(phase)?.dismiss)).toBe(can);
    },
  );

  test('the merchant may leave the refusal out', () => {
    expect(product('offer', scene({settings: settings({show_dismiss: false})}))?.dismiss).toBeUndefined();
    const banner = upsell({kind: 'banner', product: undefined, message: {key: 'banner.help', args: {}}});
    expect(notice('offer', banner)?.dismissible).toBe(true);
    expect(notice('offer', banner, scene({settings: settings({show_dismiss: false})}))).toMatchObject({dismissible: false});
  });

  test('it is not shown where nothing may be added, nor to be tried again', () => {
    const here = scene({can: {...ALL, add: false}});
    expect(product('offer', here)).toBeUndefined();
    expect(product('failed', here)).toMatchObject({line: {text: {key: 'status.failed'}}, button: undefined});
  });

  test('there is no undo where nothing may be removed', () => {
    expect(product('added', scene({can: {...ALL, remove: false}}))?.button).toBeUndefined();
  });

  test('without a product there is nothing to show', () => {
    expect(product('offer', scene(), upsell({product: undefined}))).toBeUndefined();
  });
});

describe.each(['thank_you', 'order_status'] as const)('the page %s', (surface) => {
  const after = scene({surface, can: NO_ADDING});

  test('an upsell links to a new cart that remembers the decision', () => {
    const href = product('offer', after)?.button?.href;
    const [address, properties] = (href ?? '').split('?properties=');
    expect(address).toBe('https://shop.example.test/cart/70:1');
    expect(JSON.parse(atob(properties ?? ''))).toEqual({_tillwise_decision: 'd1', _tillwise_offer: 'o1'});
  });

  test('what was just bought may be bought again', () => {
    expect(product('offer', {...after, inCart: new Set([upsell().product!.variant_id])})).toBeDefined();
  });

  test('a shop with no storefront gets no link', () => {
    expect(product('offer', {...after, storefrontUrl: undefined})?.button).toBeUndefined();
  });

  test.each<[Arg | undefined, Words]>([
    [undefined, {key: 'coupon.next_order', args: {code: 'TEN'}}],
    [{amount: 50, currency: 'EUR'}, {key: 'coupon.next_order_from', args: {code: 'TEN'}, money: {minimum: {amount: 50, currency: 'EUR'}}}],
  ])('a coupon that asks for %o is for the next order', (minimum, text) => {
    const shown = notice('offer', coupon({message: {key: 'coupon.personal', args: {...(minimum && {minimum})}}}), after);
    expect(shown?.details.map((line) => line.text)).toEqual([text]);
    expect(shown?.button).toBeUndefined();
  });

  test('a coupon without a code is not shown: the next cart does not carry its grant', () => {
    expect(notice('offer', coupon({discount: {...coupon().discount!, code: null}}), after)).toBeUndefined();
  });
});

describe('a coupon', () => {
  const args = {code: 'TEN'};
  const varied = (discount: Partial<Offer['discount'] & object>) => coupon({discount: {...coupon().discount!, ...discount}});

  test.each<[Phase, string, string | undefined]>([
    ['offer', 'coupon.code', 'button.apply'],
    ['adding', 'coupon.code', 'button.apply'],
    ['added', 'coupon.applied', 'button.remove'],
    ['undoing', 'coupon.applied', 'button.remove'],
    ['stuck', 'coupon.stuck', 'button.remove'],
    ['failed', 'coupon.failed', 'button.retry'],
  ])('when %s says %s', (phase, key, button) => {
    const shown = notice(phase, coupon());
    expect(shown?.text).toEqual({key: 'coupon.save_order', percent: {saving: 10}});
    expect(shown?.details.map(({text}) => text)).toEqual([{key, args}]);
    expect(shown?.button?.text.key).toBe(button);
    expect(shown?.button?.loading).toBe(phase === 'adding' || phase === 'undoing');
  });

  test.each<[Partial<Offer['discount'] & object>, unknown]>([
    [{applies_to: 'shipping', percentage: 50}, {key: 'coupon.save_shipping', percent: {saving: 50}}],
    [{applies_to: 'shipping', percentage: 100}, {key: 'coupon.free_shipping'}],
    [{percentage: undefined, amount: {amount: 5, currency: 'EUR'}}, {key: 'coupon.save_order', money: {saving: {amount: 5, currency: 'EUR'}}}],
    [{percentage: undefined}, {key: 'coupon.yours'}],
  ])('of %o is explained', (discount, text) => {
    expect(notice('offer', varied(discount))?.text).toEqual(text);
  });

  test('the merchant’s own words come first', () => {
    const message = {key: 'own', text: 'For {name}', args: {name: 'you'}};
    expect(notice('offer', coupon({message}))?.text).toEqual({text: 'For {name}', args: {name: 'you'}});
  });

  test('without a code is only explained: there is nothing to press', () => {
    const shown = notice('offer', varied({code: null}));
    expect(shown?.details.map(({text}) => text)).toEqual([{key: 'coupon.no_code'}]);
    expect(shown?.button).toBeUndefined();
  });

  test('says until when it holds, and goes when that is over', () => {
    const expires_at = scene().now + 1;
    expect(notice('offer', varied({expires_at}))?.details.at(-1)?.text).toEqual({key: 'coupon.expires', when: {when: expires_at}});
    expect(notice('offer', varied({expires_at: scene().now}))).toBeUndefined();
    expect(notice('added', varied({expires_at: scene().now}))?.icon).toBe('check-circle');
  });

  test('that the buyer typed in themselves is applied already', () => {
    expect(notice('offer', varied({code: 'ten'}), scene({codes: new Set(['TEN'])}))?.details[0]?.text).toEqual({key: 'coupon.applied', args: {code: 'ten'}});
  });

  test('is not shown where codes may not be applied, unless it needs none', () => {
    const can = {...ALL, discount: false};
    expect(notice('offer', coupon(), scene({can}))).toBeUndefined();
    expect(notice('offer', varied({code: null}), scene({can}))).toBeDefined();
  });

  test('that is applied can be taken off where codes may be changed, and nowhere else', () => {
    expect(notice('added', coupon(), scene({can: {...ALL, discount: false}}))?.button?.action).toBe('undo');
    expect(notice('added', coupon(), scene({can: {...ALL, codes: false, discount: false}}))?.button).toBeUndefined();
  });
});

describe('other kinds', () => {
  test('help is not offered before the payment once that is over', () => {
    const banner = upsell({kind: 'banner', message: {key: 'banner.help', args: {}}});
    expect(notice('offer', banner, scene({surface: 'thank_you'}))?.text).toEqual({key: 'message.message.help', money: {}});
  });

  test.each(['banner', 'message'])('a %s says its message', (kind) => {
    expect(notice('offer', upsell({kind, message: {key: 'banner.help', args: {}}}))?.text).toEqual({key: 'message.banner.help', money: {}});
  });

  test.each<[string, Offer['message']]>([
    ['of a later version', {key: 'banner.tomorrow', args: {}}],
    ['with a gap unfilled', {key: 'progress.free_shipping', args: {}}],
    ['of the merchant’s with a gap unfilled', {key: 'own', args: {}, text: 'Hello {name}'}],
  ])('a message %s is not shown', (_, message) => {
    expect(notice('offer', upsell({kind: 'banner', message}))).toBeUndefined();
  });

  test('a kind of a later version is not shown', () => {
    expect(view(ready('offer', upsell({kind: 'hologram'})), scene())).toEqual({kind: 'nothing'});
  });

  test('a message alone has no heading', () => {
    expect(view(ready('offer', coupon()), scene())).toMatchObject({kind: 'offers', heading: undefined});
  });
});
