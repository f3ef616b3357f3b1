/** One question to Tillwise through the shop's app proxy: null when it takes too long; so do a failure and garbage. */
import {parseAnswer} from '../../extensions/checkout-offers/src/answer.ts';
import type {Offer} from '../../extensions/checkout-offers/src/offer.ts';
import {readCart, type Cart} from './cart.ts';
import {honoured} from './grant.ts';
import type {Page} from './page.ts';
import {inTime} from './patience.ts';
import {clientId, consent, region} from './privacy.ts';
import type * as Products from './products.ts';

/** Where `shopify.app.toml` puts the app's proxy; a merchant may have moved it. */
declare const PROXY: string;

/** What was offered, and the cart that it was asked for. */
export interface Asked {
  offers: Offer[];
  cart: Cart;
}

/** Return the offers for this page and cart, null where there is none. trigger: what made the page ask; wants: what it has a place for. */
export async function ask(page: Page, trigger: 'page' | 'exit_intent', wants?: 'products'): Promise<Asked | null> {
  const {locale, country, product_id, company} = page;
  try {
    const {titles, grant, ...cart} = await readCart(page);
    const question = {
      surface: 'storefront',
      trigger_type: trigger,
      locale,
      country,
      product_id: product_id ?? undefined,
      region: region(),
      consent: consent(),
      client_id: clientId(),
      cart,
      company: company ? true : undefined,
      wants,
    };
    const response = await fetch(`${page.proxy || PROXY}/offers?question=${encodeURIComponent(JSON.stringify(question))}`, {
      signal: inTime(),
    });
    const answer = response.ok ? parseAnswer(await response.json()) : null;
    const offers = answer && (await priced(page, await honoured(page, answer.offers, {...cart, grant}), cart));
    return offers && {offers, cart: {titles, ...cart}};
  } catch {
    return null;
  }
}

/** Return the offers at the prices of the shopper's market. Without the script that knows them they stay as they are. */
async function priced({products, country, company}: Page, offers: Offer[], cart: Omit<Cart, 'titles'>): Promise<Offer[]> {
  if (company || !offers.some(({product}) => product)) return offers;
  try {
    return await ((await import(products)) as typeof Products).priced(offers, country, cart);
  } catch {
    return offers;
  }
}
