/** Discounts that the shop takes off by itself, for a cart that carries their grant. */
import type {Offer} from '../../extensions/checkout-offers/src/offer.ts';
import {GRANT} from '../../extensions/checkout-offers/src/question.ts';
import type {Cart} from './cart.ts';
import type {Page} from './page.ts';
import {inTime} from './patience.ts';

/**
 * Return the offers whose word holds. A cart carries one grant: the first one's, and only once it does may that say
 * that it is taken off. Whether it stands beside a code of the shopper's, the checkout will tell. cart: as it is.
 */
export async function honoured({routes}: Page, offers: Offer[], cart: Pick<Cart, 'codes' | 'grant'>): Promise<Offer[]> {
  const granted = offers.filter(({discount}) => discount?.code === null && discount.grant);
  const [first] = cart.codes?.length ? [] : granted;
  const grant = first?.discount?.grant;
  const holds = grant !== undefined && (grant === cart.grant || (await carry(routes.cart_update, GRANT, grant)));
  return offers.filter((offer) => !granted.includes(offer) || (holds && offer === first));
}

/** Return whether the cart carries the attribute now; an empty value takes it off. */
export async function carry(update: string, key: string, value: string): Promise<boolean> {
  try {
    const answer = await fetch(`${update}.js`, {
      method: 'POST',
      headers: {'Content-Type': 'application/json'},
      body: JSON.stringify({attributes: {[key]: value}}),
      keepalive: true,
      signal: inTime(),
    });
    return answer.ok;
  } catch {
    return false;
  }
}
