import type {Offer, Product} from './answer.ts';
import type {Button, Line, ProductView, Scene} from './model.ts';
import {cartPermalink} from './permalink.ts';
import {reasonWords} from './reason.ts';
import type {Entry, Phase} from './state.ts';
import type {Words} from './words.ts';

/** Return the card of an upsell; undefined where it could not be taken. */
export function productCard({offer, phase}: Entry, scene: Scene): ProductView | undefined {
  const {product} = offer;
  const inCheckout = scene.surface === 'checkout';
  if (!product || (inCheckout && !scene.can.add && phase === 'offer')) return undefined;
  return {
    layout: 'product',
    offer,
    product,
    price: priceFor(product, scene),
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

/** Shopify converts and rounds by the shop's own rules: a price of ours in another currency would be wrong. */
function priceFor({price, currency}: Product, scene: Scene): number | undefined {
  return currency === undefined || currency === scene.currency ? price : undefined;
}

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
