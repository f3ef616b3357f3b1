import type {Offer, Product} from './answer.ts';
import {reasonWords, type CartTitles} from './reason.ts';
import {messageWords} from './message.ts';
import {cartPermalink} from './permalink.ts';
import type {Settings} from './settings.ts';
import type {Entry, Phase, State} from './state.ts';
import type {Words} from './words.ts';

export type Surface = 'checkout' | 'thank_you';

/** What the host allows and knows, beside the state. */
export interface Scene {
  surface: Surface;
  settings: Settings;
  can: {add: boolean; remove: boolean; discount: boolean};
  cartTitles: CartTitles;
  storefrontUrl?: string;
}

export type View =
  | {kind: 'skeleton'; heading: Words | string; rows: number; reason: boolean}
  | {kind: 'nothing'}
  | {kind: 'offers'; heading?: Words | string; cards: CardView[]};

export type CardView = ProductView | NoticeView;

export interface ProductView {
  layout: 'product';
  offer: Offer;
  product: Product;
  badge?: Words;
  /** Undefined only when the merchant hides reasons and there is nothing to report. */
  line?: Line;
  button?: Button;
}

export interface NoticeView {
  layout: 'notice';
  offer: Offer;
  text: Words;
  tone: 'info' | 'success' | 'critical';
  button?: Button;
}

export interface Line {
  text: Words;
  tone: 'neutral' | 'success' | 'critical';
}

export interface Button {
  text: Words;
  label: Words;
  action: 'accept' | 'undo' | 'none';
  variant: 'primary' | 'secondary';
  loading: boolean;
  disabled: boolean;
  href?: string;
}

const HEADING: Record<Surface, Words> = {
  checkout: {key: 'heading.checkout'},
  thank_you: {key: 'heading.thank_you'},
};

/** Return what to show, and nothing when there is nothing worth the buyer's attention. */
export function view(state: State, scene: Scene): View {
  const cards = state.entries.flatMap((entry) => card(entry, scene) ?? []).slice(0, scene.settings.max_offers);
  const heading = scene.settings.heading ?? HEADING[scene.surface];
  if (cards.length) return {kind: 'offers', heading: cards.some(isProduct) ? heading : undefined, cards: cards.map(oneProminent)};
  if (!state.loading || !worthWaiting(scene)) return {kind: 'nothing'};
  return {kind: 'skeleton', heading, rows: scene.settings.max_offers, reason: scene.settings.show_reason};
}

/** Where nothing can be added the skeleton would most often make room for nothing. */
function worthWaiting({surface, can}: Scene): boolean {
  return surface === 'thank_you' || can.add;
}

function isProduct(each: CardView): each is ProductView {
  return each.layout === 'product';
}

/** Only the first button is the page's call to action: several would compete with "Pay now". */
function oneProminent(each: CardView, index: number): CardView {
  return each.button && index > 0 ? {...each, button: {...each.button, variant: 'secondary'}} : each;
}

function card(entry: Entry, scene: Scene): CardView | undefined {
  switch (entry.offer.kind) {
    case 'upsell':
      return productCard(entry, scene);
    case 'coupon':
      return couponNotice(entry, scene);
    case 'banner':
    case 'message':
    case 'progress':
      return messageNotice(entry);
    default:
      return undefined;
  }
}

function productCard({offer, phase}: Entry, scene: Scene): ProductView | undefined {
  const {product} = offer;
  const inCheckout = scene.surface === 'checkout';
  if (!product || (inCheckout && !scene.can.add && phase === 'offer')) return undefined;
  return {
    layout: 'product',
    offer,
    product,
    badge: inCheckout && scene.can.discount ? saving(offer) : undefined,
    line: STATUS[phase] ?? reasonLine(offer, scene),
    button: inCheckout ? cartButton(phase, product, scene) : linkButton(offer, product, scene),
  };
}

const STATUS: Partial<Record<Phase, Line>> = {
  added: {text: {key: 'status.added'}, tone: 'success'},
  undoing: {text: {key: 'status.added'}, tone: 'success'},
  failed: {text: {key: 'status.failed'}, tone: 'critical'},
  sold_out: {text: {key: 'status.sold_out'}, tone: 'critical'},
};

function reasonLine(offer: Offer, {settings, cartTitles}: Scene): Line | undefined {
  const text = settings.show_reason ? reasonWords(offer, cartTitles) : undefined;
  return text && {text, tone: 'neutral'};
}

function saving({discount}: Offer): Words | undefined {
  if (!discount) return undefined;
  return discount.percentage
    ? {key: 'discount.percentage', args: {percentage: discount.percentage}}
    : {key: 'discount.code', args: {code: discount.code}};
}

function cartButton(phase: Phase, product: Product, {can}: Scene): Button | undefined {
  const done = phase === 'added' || phase === 'undoing';
  if (done && !can.remove) return undefined;
  const verb = done ? 'undo' : phase === 'failed' ? 'retry' : 'add';
  return {
    text: {key: `button.${verb}`},
    label: {key: `button.${verb}_label`, args: {title: product.title}},
    action: done ? 'undo' : 'accept',
    variant: done ? 'secondary' : 'primary',
    loading: phase === 'adding' || phase === 'undoing',
    disabled: phase === 'sold_out',
  };
}

/** The order is placed: the buyer can only begin another, with the offer in its cart. */
function linkButton(offer: Offer, product: Product, {storefrontUrl}: Scene): Button | undefined {
  const href = cartPermalink(offer, product, storefrontUrl);
  if (!href) return undefined;
  return {
    text: {key: 'button.buy'},
    label: {key: 'button.buy_label', args: {title: product.title}},
    action: 'none',
    variant: 'primary',
    loading: false,
    disabled: false,
    href,
  };
}

function couponNotice({offer, phase}: Entry, scene: Scene): NoticeView | undefined {
  const {discount} = offer;
  if (!discount) return undefined;
  const args = {code: discount.code, percentage: discount.percentage ?? 0};
  const offered = discount.percentage ? 'coupon.save' : 'coupon.use';
  if (scene.surface === 'thank_you') return {layout: 'notice', offer, text: {key: 'coupon.next_order', args}, tone: 'info'};
  if (phase === 'added') return {layout: 'notice', offer, text: {key: 'coupon.applied', args}, tone: 'success'};
  if (!scene.can.discount) return undefined;
  const failed = phase === 'failed';
  return {
    layout: 'notice',
    offer,
    text: {key: failed ? 'coupon.failed' : offered, args},
    tone: failed ? 'critical' : 'info',
    button: {
      text: {key: failed ? 'button.retry' : 'button.apply'},
      label: {key: 'button.apply_label', args},
      action: 'accept',
      variant: 'secondary',
      loading: phase === 'adding',
      disabled: false,
    },
  };
}

function messageNotice({offer}: Entry): NoticeView | undefined {
  const text = messageWords(offer.message);
  return text && {layout: 'notice', offer, text, tone: 'info'};
}
