import type {Button, Line, ProductView, Scene} from './model.ts';
import {nameOf, type Offer, type Product} from './offer.ts';
import {cartPermalink} from './permalink.ts';
import {isUnsold, type Price} from './prices.ts';
import {reasonWords} from './reason.ts';
import {breakable, NAMED_WIDTH, shorten, TITLE_WIDTH, widthOf} from './shorten.ts';
import {IN_ORDER, REFUSED, type Entry, type Phase} from './state.ts';
import {isOpen} from './surface.ts';

/** Return the card of an upsell; undefined where it could not be taken, or is in the cart already. */
export function productCard({id, offer, phase}: Entry, scene: Scene): ProductView | undefined {
  const {product} = offer;
  const open = isOpen(scene.surface);
  if (!product || (phase === 'offer' && open && (!scene.can.add || scene.inCart.has(product.variant_id)))) return undefined;
  const unsold = phase === 'offer' && isUnsold(offer, scene.prices);
  const asked = unsold ? undefined : priceFor(product, scene);
  return {
    layout: 'product',
    id,
    offer,
    product,
    title: titleOf(product),
    price: asked?.amount,
    unit: asked?.unit,
    line: STATUS[phase] ?? (unsold ? UNSOLD : reasonLine(offer, scene)),
    button: open ? cartButton(phase, product, unsold, scene) : linkButton(offer, product, unsold, scene),
    dismiss: scene.settings.show_dismiss && DISMISSIBLE.has(phase) ? {key: 'button.dismiss_label', args: {title: nameOf(product)}} : undefined,
  };
}

/** A long title is cut, so that which of several variants it is can be read; a short one leaves that its room. */
function titleOf({title, variant}: Product): string {
  const which = variant ? shorten(`, ${variant}`, Math.max(NAMED_WIDTH, TITLE_WIDTH - widthOf(title))) : '';
  return breakable(shorten(title, TITLE_WIDTH - widthOf(which)) + which);
}

export const DISMISSIBLE: ReadonlySet<Phase> = new Set<Phase>(['offer', 'failed', ...REFUSED]);

const STATUS: Partial<Record<Phase, Line>> = {
  added: {text: {key: 'status.added'}, tone: 'success'},
  undoing: {text: {key: 'status.added'}, tone: 'success'},
  stuck: {text: {key: 'status.stuck'}, tone: 'critical'},
  failed: {text: {key: 'status.failed'}, tone: 'critical'},
  sold_out: {text: {key: 'status.sold_out'}, tone: 'critical'},
  unavailable: {text: {key: 'status.unavailable'}, tone: 'critical'},
};

/** It was painted before its market was known: what the buyer may be about to press stays where it is. */
const UNSOLD: Line = {text: {key: 'status.unavailable'}, tone: 'neutral'};

/** Return the price of the buyer's market, which Shopify converts and adjusts by the shop's rules; else the shop's, where it is in their currency. */
function priceFor({variant_id, price, currency}: Product, {currency: buyers, ownPrices, prices}: Scene): Omit<Price, 'currency'> | undefined {
  if (ownPrices) return undefined;
  const told = prices.get(variant_id);
  if (told?.currency === buyers) return told;
  return currency === undefined || currency === buyers ? {amount: price} : undefined;
}

function reasonLine(offer: Offer, {settings, cartTitles}: Scene): Line | undefined {
  const text = settings.show_reason ? reasonWords(offer, cartTitles) : undefined;
  return text && {text, tone: 'neutral'};
}

function cartButton(phase: Phase, product: Product, unsold: boolean, {can}: Scene): Button | undefined {
  const done = IN_ORDER.has(phase);
  if ((done && !can.remove) || (phase === 'failed' && !can.add)) return undefined;
  const verb = done ? 'undo' : phase === 'failed' ? 'retry' : 'add';
  return {
    text: {key: `button.${verb}`},
    label: {key: `button.${verb}_label`, args: {title: nameOf(product)}},
    action: done ? 'undo' : 'accept',
    variant: done ? 'secondary' : 'primary',
    loading: phase === 'adding' || phase === 'undoing',
    disabled: unsold || REFUSED.has(phase),
  };
}

/** The order is placed: the buyer can only begin another, with the offer in its cart. */
function linkButton(offer: Offer, product: Product, unsold: boolean, {storefrontUrl}: Scene): Button | undefined {
  const href = cartPermalink(offer, product, storefrontUrl);
  if (!href) return undefined;
  return {
    text: {key: 'button.buy'},
    label: {key: 'button.buy_label', args: {title: nameOf(product)}},
    action: 'none',
    variant: 'primary',
    loading: false,
    disabled: unsold,
    ...(!unsold && {href}),
  };
}
