import type {Offer, Product} from './answer.ts';
import {couponNotice, messageNotice} from './notice.ts';
import {productCard} from './productCard.ts';
import type {CartTitles} from './reason.ts';
import type {Settings} from './settings.ts';
import type {Entry, State} from './state.ts';
import type {Words} from './words.ts';

export type Surface = 'checkout' | 'thank_you';

/** What the host allows and knows, beside the state. */
export interface Scene {
  surface: Surface;
  settings: Settings;
  can: {add: boolean; remove: boolean; discount: boolean};
  cartTitles: CartTitles;
  /** What the buyer pays in. */
  currency: string;
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
  /** In the buyer's currency; undefined when only the shop's own price is known. */
  price?: number;
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
