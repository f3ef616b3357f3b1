import type {Button, Line, ProductView, Scene} from './model.ts';
import type {Offer, Product} from './offer.ts';
import {cartPermalink} from './permalink.ts';
import {reasonWords} from './reason.ts';
import {savingOf} from './saving.ts';
import {breakable, shorten, TITLE_WIDTH} from './shorten.ts';
import type {Entry, Phase} from './state.ts';
import {isOpen} from './surface.ts';
import type {Words} from './words.ts';

/** Return the card of an upsell; undefined where it could not be taken, or is in the cart already. */
export function productCard({id, offer, phase}: Entry, scene: Scene): ProductView | undefined {
  const {product} = offer;
  const open = isOpen(scene.surface);
  if (!product || (phase === 'offer' && open && (!scene.can.add || scene.inCart.has(product.variant_id)))) return undefined;
  return {
    layout: 'product',
    id,
    offer,
    product,
    title: breakable(shorten(product.title, TITLE_WIDTH)),
    price: priceFor(product, scene),
    badge: open ? saving(offer, scene) : undefined,
    line: STATUS[phase] ?? reasonLine(offer, scene),
    button: open ? cartButton(phase, product, scene) : linkButton(offer, product, scene),
    dismiss: scene.settings.show_dismiss && DISMISSIBLE.has(phase) ? {key: 'button.dismiss_label', args: {title: product.title}} : undefined,
  };
}

export const DISMISSIBLE: ReadonlySet<Phase> = new Set<Phase>(['offer', 'failed', 'sold_out']);

const STATUS: Partial<Record<Phase, Line>> = {
  added: {text: {key: 'status.added'}, tone: 'success'},
  undoing: {text: {key: 'status.added'}, tone: 'success'},
  failed: {text: {key: 'status.failed'}, tone: 'critical'},
  sold_out: {text: {key: 'status.sold_out'}, tone: 'critical'},
};

/** Shopify converts and rounds by the shop's own rules, and knows a company's prices: one of ours would be wrong. */
function priceFor({price, currency}: Product, {currency: buyers, ownPrices}: Scene): number | undefined {
  return !ownPrices && (currency === undefined || currency === buyers) ? price : undefined;
}

function reasonLine(offer: Offer, {settings, cartTitles}: Scene): Line | undefined {
  const text = settings.show_reason ? reasonWords(offer, cartTitles) : undefined;
  return text && {text, tone: 'neutral'};
}

/** A code that may not be applied here promises nothing. */
function saving({discount}: Offer, {can, now}: Scene): Words | undefined {
  if (!discount || (discount.code && !can.discount) || (discount.expires_at ?? Infinity) <= now) return undefined;
  const saved = savingOf(discount);
  if (saved) return {key: 'discount.off', ...saved};
  return discount.code ? {key: 'discount.code', args: {code: discount.code}} : undefined;
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
