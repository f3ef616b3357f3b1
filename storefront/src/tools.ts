/** What the script of every page lends the one that paints, so that a page loads it once. */
import type {Offer} from '../../extensions/checkout-offers/src/offer.ts';
import {readCart} from './cart.ts';
import {keepNever, keepOnce, mayPart} from './kept.ts';
import type {Page} from './page.ts';
import {mayWatch} from './privacy.ts';
import type * as Products from './products.ts';
import {tell} from './tell.ts';

/** Put the offer's product into the cart; return null once it is there, else what the shop says against it, '' for nothing. */
async function addToCart(page: Page, offer: Offer): Promise<string | null> {
  try {
    return await ((await import(page.products)) as typeof Products).addToCart(page, offer);
  } catch {
    return '';
  }
}

export const TOOLS = {addToCart, keepNever, keepOnce, mayPart, mayWatch, readCart, tell};
export type Tools = typeof TOOLS;
