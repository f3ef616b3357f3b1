/** One offer as it stands in the page, whose look is the theme's. */
import {expiry, isOver} from '../../extensions/checkout-offers/src/expiry.ts';
import {messageWords} from '../../extensions/checkout-offers/src/message.ts';
import type {ProgressView} from '../../extensions/checkout-offers/src/model.ts';
import {nameOf, type Offer} from '../../extensions/checkout-offers/src/offer.ts';
import {progressCard as barOf} from '../../extensions/checkout-offers/src/progress.ts';
import {reasonWords} from '../../extensions/checkout-offers/src/reason.ts';
import {savingWords} from '../../extensions/checkout-offers/src/saving.ts';
import type {Speaker} from '../../extensions/checkout-offers/src/words.ts';
import type {Cart} from './cart.ts';
import {button, element, text} from './element.ts';
import {lent} from './lent.ts';
import {discountLink, linkTo} from './link.ts';
import type {Page} from './page.ts';

const ADDED = 'tillwise:added';

export interface Place {
  page: Page;
  cart: Cart;
  speaker: Speaker;
  /** Where what happened is said to who can't see it. */
  status: HTMLElement;
  /** The shopper said no to the offer. */
  refused(card: HTMLElement): void;
}

/** Return the offer's card, null for one that can't be shown here. */
export function card(offer: Offer, place: Place): HTMLElement | null {
  if (offer.product && offer.kind === 'upsell') return offer.product.product_id in place.cart.titles ? null : productCard(offer, place);
  if (offer.discount && offer.kind === 'coupon') return couponCard(offer, place);
  if (offer.progress && offer.kind === 'progress') return progressCard(offer, place);
  const words = offer.kind === 'banner' || offer.kind === 'message' ? messageWords(offer.message) : undefined;
  const said = words && place.speaker.say(words);
  return said ? framed(offer, place, [text('title', said)], null, said) : null;
}

function productCard(offer: Offer, place: Place): HTMLElement {
  const {speaker: {say, sayPrice}, cart, page} = place;
  const product = offer.product!;
  const {title, variant, currency, price, unit} = product;
  // What the market asks, where it was told in time; the shop's own is of use in its own currency alone.
  const payable = !page.company && (!currency || currency === cart.currency) ? sayPrice(price, unit) : undefined;
  const reason = reasonWords(offer, cart.titles);
  const why = element('p', 'why', reason && say(reason));
  why.dir = 'auto';
  const words = [
    titled(title, page, product.handle),
    text('price', [payable, variant && `\u2068${variant}\u2069`].filter(Boolean).join(' · ')),
    why,
  ];
  return framed(offer, place, words, adder(offer, place, why), nameOf(product), product.image);
}

/** The title leads to the product's page, where that is known. */
function titled(title: string, page: Page, handle: string | undefined): HTMLElement {
  const made = text('title tillwise-product', title)!;
  if (!handle) return made;
  const link = element('a', 'page', title);
  link.href = linkTo(page, 'products', handle);
  made.replaceChildren(link);
  return made;
}

/** One that is over is no more: the page may be older than its end. */
function couponCard(offer: Offer, place: Place): HTMLElement | null {
  const {speaker: {say}, page} = place;
  const discount = offer.discount!;
  const {code} = discount;
  if (isOver(discount, Date.now())) return null;
  const [ends] = expiry(discount, Date.now());
  const saving = say(savingWords(discount));
  const own = messageWords(offer.message);
  const words = [
    text('title', own ? say(own) : saving),
    text('price', say(code ? {key: 'coupon.code', args: {code}} : {key: 'coupon.no_code'})),
    text('why', ends && say(ends.text)),
  ];
  const link = code ? element('a', 'press', say({key: 'button.apply'})) : null;
  if (link && code) {
    link.href = discountLink(page, code);
    link.ariaLabel = say({key: 'button.apply_label', args: {code}});
    link.addEventListener('click', () => lent.tell('accepted', offer));
  }
  return framed(offer, place, words, link, saving);
}

/** The way to an amount, which follows what is added here. Without words for it there is no bar. */
function progressCard(offer: Offer, place: Place): HTMLElement | null {
  const bar = element('progress', 'bar');
  const said = element('p', 'title');
  said.dir = 'auto';

  function follow({currency, subtotal}: Pick<Cart, 'currency' | 'subtotal'>): ProgressView | undefined {
    const view = barOf({id: '', offer, phase: 'offer'}, {currency, subtotal: Number(subtotal)});
    if (!view) return undefined;
    said.textContent = place.speaker.say(view.text);
    bar.ariaLabel = place.speaker.say(view.label);
    bar.value = view.value;
    bar.max = view.max;
    return view;
  }

  const view = follow(place.cart);
  if (!view) return null;
  document.addEventListener(ADDED, () => {
    if (bar.isConnected) void lent.readCart(place.page).then(follow, () => undefined);
  });
  return framed(offer, place, [said, bar], null, said.textContent!);
}

function framed(offer: Offer, place: Place, words: (HTMLElement | null)[], press: HTMLElement | null, title: string, image?: string): HTMLElement {
  const {say} = place.speaker;
  const label = say({key: 'button.dismiss_label', args: {title}});
  const no = button('no', say({key: 'button.dismiss'}), label, () => {
    lent.tell('dismissed', offer);
    place.refused(made);
  });
  const made = element('div', 'card', null, picture(image), element('div', 'words', null, ...words), element('div', 'presses', null, press, no));
  return made;
}

function picture(address: string | undefined): HTMLImageElement | null {
  if (!address) return null;
  const made = element('img', 'picture');
  made.alt = ''; // the title stands beside it
  made.loading = 'lazy';
  made.width = made.height = 72;
  made.onerror = () => made.replaceWith(element('div', 'picture'));
  made.src = address;
  return made;
}

/** Return the button that adds the product; once it did, it is the way to the cart. why: where what became of it is read. */
function adder(offer: Offer, {page, speaker: {say}, status}: Place, why: HTMLElement): HTMLElement {
  const title = nameOf(offer.product!);
  const made = button('press', say({key: 'button.add'}), say({key: 'button.add_label', args: {title}}), () => void add());

  async function add(): Promise<void> {
    if (made.ariaBusy === 'true') return; // one click, one line
    made.ariaBusy = 'true';
    const declined = await lent.addToCart(page, offer);
    const added = declined === null;
    made.ariaBusy = 'false';
    lent.tell(added ? 'accepted' : 'failed', offer);
    status.textContent = why.textContent = declined || say({key: added ? 'status.added' : 'status.failed'});
    if (added) lead();
    else retry();
  }

  function retry(): void {
    made.textContent = say({key: 'button.retry'});
    made.ariaLabel = `${say({key: 'button.retry_label', args: {title}})}. ${why.textContent}`;
  }

  function lead(): void {
    const toCart = say({key: 'button.cart'});
    const link = element('a', 'press tillwise-done', toCart);
    link.href = page.routes.cart;
    link.ariaLabel = `${why.textContent}. ${toCart}`;
    const focused = document.activeElement === made;
    made.nextElementSibling?.remove();
    made.replaceWith(link);
    if (focused) link.focus();
    // For themes whose cart is in the page, and for bars of ours.
    link.dispatchEvent(new CustomEvent(ADDED, {bubbles: true, detail: {variant_id: offer.product!.variant_id}}));
  }

  return made;
}
