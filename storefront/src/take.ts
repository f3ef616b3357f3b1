/** What taking an offer does to the shopper's cart. */
import type {Offer} from '../../extensions/checkout-offers/src/offer.ts';
import {DECISION, OFFER} from '../../extensions/checkout-offers/src/question.ts';
import type {Page} from './page.ts';

/** Put the offer's product into the cart, its line marked with the decision behind it. Return whether it is there. */
export async function addToCart({routes}: Page, {decision_id, offer_id, product}: Offer): Promise<boolean> {
  const item = {
    id: Number(product?.variant_id.split('/').pop()),
    quantity: 1,
    properties: {[DECISION]: decision_id, [OFFER]: offer_id},
  };
  try {
    const answer = await fetch(`${routes.cart_add}.js`, {
      method: 'POST',
      headers: {'Content-Type': 'application/json', Accept: 'application/json'},
      body: JSON.stringify({items: [item]}),
    });
    return answer.ok;
  } catch {
    return false;
  }
}
