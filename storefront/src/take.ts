/** What taking an offer does to the shopper's cart. */
import type {Offer} from '../../extensions/checkout-offers/src/offer.ts';
import {DECISION, OFFER} from '../../extensions/checkout-offers/src/question.ts';
import {discountLink} from './link.ts';
import type {Page} from './page.ts';

/**
 * Put the offer's product into the cart, its line marked with the decision behind it, and have the checkout apply what
 * is taken off it. Return whether the product is there.
 */
export async function addToCart(page: Page, {decision_id, offer_id, product, discount}: Offer): Promise<boolean> {
  const item = {
    id: Number(product?.variant_id.split('/').pop()),
    quantity: 1,
    properties: {[DECISION]: decision_id, [OFFER]: offer_id},
  };
  try {
    const answer = await fetch(`${page.routes.cart_add}.js`, {
      method: 'POST',
      headers: {'Content-Type': 'application/json', Accept: 'application/json'},
      body: JSON.stringify({items: [item]}),
    });
    if (answer.ok && discount?.code) await apply(page, discount.code);
    return answer.ok;
  } catch {
    return false;
  }
}

async function apply(page: Page, code: string): Promise<void> {
  try {
    await fetch(discountLink(page, code, `${page.routes.cart}.js`));
  } catch {
    // Then the product is in the cart at its price, as the cart says.
  }
}
