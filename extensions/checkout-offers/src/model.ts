import {couponCard} from './coupon.ts';
import {messageCard} from './notice.ts';
import type {Offer, Product, UnitPrice} from './offer.ts';
import type {Prices} from './prices.ts';
import {productCard} from './productCard.ts';
import {progressCard} from './progress.ts';
import type {CartTitles} from './reason.ts';
import type {Settings} from './settings.ts';
import type {Entry, State} from './state.ts';
import {isOpen, type Surface} from './surface.ts';
import type {Said, Words} from './words.ts';

/** What the host allows and knows, beside the state. */
export interface Scene {
  surface: Surface;
  settings: Settings;
  /** codes: whether they may be changed; discount: and one of the app's could take something off. */
  can: {add: boolean; remove: boolean; codes: boolean; discount: boolean};
  cartTitles: CartTitles;
  /** GIDs of the variants in the cart. */
  inCart: ReadonlySet<string>;
  /** Codes that are applied, in capitals. */
  codes: ReadonlySet<string>;
  subtotal: number;
  /** What shipping costs, once the buyer has chosen a way; of the editor's sample nothing is known. */
  shipping?: number;
  /** What the buyer pays in. */
  currency: string;
  /** The buyer's company has prices of its own. */
  ownPrices: boolean;
  /** What the buyer's market asks, as far as it is known. */
  prices: Prices;
  storefrontUrl?: string;
  /** Milliseconds since 1970. */
  now: number;
  /** In the merchant's editor, with offers that are samples. */
  preview: boolean;
}

export type View =
  | {kind: 'skeleton'; heading: Words | string; rows: number; reason: boolean}
  | {kind: 'nothing'}
  | {kind: 'offers'; heading?: Words | string; cards: CardView[]; boxed: boolean};

export type CardView = ProductView | NoticeView | ProgressView;

interface Shown {
  id: string;
  offer: Offer;
  /** In the place of a product, whose frame is as high as every other. */
  boxed?: true;
}

export interface ProductView extends Shown {
  layout: 'product';
  product: Product;
  /** The product's and its variant's, as long as a frame holds. */
  title: string;
  /** What the buyer pays, in their currency; undefined as long as only the shop's own price is known, in another. */
  price?: number;
  /** What a measure of it costs, beside the price. */
  unit?: UnitPrice;
  /** Undefined only when the merchant hides reasons and there is nothing to report. */
  line?: Line;
  button?: Button;
  dismiss?: Words;
}

export interface NoticeView extends Shown {
  layout: 'notice';
  icon: 'info' | 'discount' | 'check-circle';
  text: Said;
  /** More of it, a line each: how it is used, until when. */
  details: Line[];
  button?: Button;
  dismissible: boolean;
}

export interface ProgressView extends Shown {
  layout: 'progress';
  text: Said;
  label: Words;
  value: number;
  max: number;
}

export interface Line {
  text: Said;
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

/** Return what to show, and nothing when there is nothing worth the buyer's attention. */
export function view(state: State, scene: Scene): View {
  const made = (entries: Entry[]) => entries.flatMap((entry) => card(entry, scene) ?? []);
  const all = arranged(made(state.entries.filter(({late}) => !late)), scene);
  const there = boxedIn(all, state.boxes);
  const waiting = state.waited ? all.filter((each) => !isProduct(each) && !there.includes(each)) : [];
  const cards = seated(there, [...made(state.entries.filter(({late}) => late)), ...waiting], state);
  const heading = scene.settings.heading ?? {key: isOpen(scene.surface) ? 'heading.checkout' : 'heading.thank_you'};
  const boxed = state.boxes !== undefined;
  if (cards.length) return {kind: 'offers', heading: boxed || there.some(isProduct) ? heading : undefined, cards: oneProminent(cards), boxed};
  if (!state.loading || !worthWaiting(scene)) return {kind: 'nothing'};
  return {kind: 'skeleton', heading, rows: scene.settings.max_offers, reason: scene.settings.show_reason};
}

/** Return how an offer is shown; undefined for one that can't be, here or by this version. */
export function card(entry: Entry, scene: Scene): CardView | undefined {
  const {show_products, show_messages} = scene.settings;
  if (entry.phase === 'dismissed') return undefined;
  if (entry.offer.kind === 'upsell') return show_products ? productCard(entry, scene) : undefined;
  if (!show_messages) return undefined;
  switch (entry.offer.kind) {
    case 'coupon':
      return couponCard(entry, scene);
    case 'progress':
      return towards(entry, scene);
    case 'banner':
    case 'message':
      return messageCard(entry, scene);
    default:
      return undefined;
  }
}

/** Return the bar, or its sentence; undefined where the price of shipping says otherwise: free already, or not free after all. */
function towards(entry: Entry, scene: Scene): CardView | undefined {
  const bar = progressCard(entry, scene);
  const {shipping} = scene;
  const told = shipping !== undefined && entry.offer.message?.key.startsWith('progress.free_shipping');
  if (bar && told && bar.value < bar.max === (shipping === 0)) return undefined;
  return bar ?? messageCard(entry, scene);
}

/** Messages come first, then no more products than the merchant allows; what the buyer took is never left out. */
function arranged(cards: CardView[], {settings}: Scene): CardView[] {
  const products = cards.filter(isProduct).slice(0, settings.max_offers);
  return [...cards.filter((each) => !isProduct(each)), ...products];
}

/**
 * Return what comes into the boxes that were painted ahead. One of them stays a product's where a decision offers any:
 * messages that find no box wait until it has had its time, or the buyer changes the cart.
 */
function boxedIn(cards: CardView[], boxes: number | undefined): CardView[] {
  if (boxes === undefined) return cards;
  const products = cards.filter(isProduct);
  const decided = products.some(({offer}) => offer.decision_id);
  const messages = cards.filter((each) => !isProduct(each)).slice(0, decided ? boxes - 1 : boxes);
  return [...messages, ...products].slice(0, boxes);
}

/** A message that comes late takes the place of the last product that the buyer has not touched: nothing moves for it. */
function seated(cards: CardView[], [late]: CardView[], {entries}: State): CardView[] {
  if (!late) return cards;
  const untouched = new Set(entries.filter(({touched}) => !touched).map(({id}) => id));
  const given = cards.filter((each) => isProduct(each) && untouched.has(each.id)).pop();
  return given ? cards.map((each) => (each === given ? {...late, boxed: true} : each)) : [...cards, late];
}

/** Where nothing can be added the skeleton would most often make room for nothing. */
function worthWaiting({surface, can, settings}: Scene): boolean {
  return settings.show_products && (!isOpen(surface) || can.add);
}

function isProduct(each: CardView): each is ProductView {
  return each.layout === 'product';
}

/** Only the first button is the block's call to action: several would compete with "Pay now". */
function oneProminent(cards: CardView[]): CardView[] {
  const first = cards.findIndex((each) => 'button' in each && each.button);
  return cards.map((each, index) =>
    'button' in each && each.button && index !== first ? {...each, button: {...each.button, variant: 'secondary'}} : each,
  );
}
