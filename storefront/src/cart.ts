/** The shopper's cart, as Shopify's Ajax API has it. */
import {decimal, GRANT} from '../../extensions/checkout-offers/src/question.ts';
import type {Page} from './page.ts';
import {inTime} from './patience.ts';

const MOST_LINES = 50;

/** Amounts are in hundredths whatever the currency. */
interface AjaxCart {
  attributes?: Record<string, string>;
  currency: string;
  discount_codes?: {code: string; applicable: boolean}[];
  items_subtotal_price: number;
  items: {product_id: number; variant_id: number; quantity: number; final_price: number; product_title: string}[];
}

export interface Cart {
  currency: string;
  subtotal: string;
  /** No more than an address holds, newest first. */
  lines: {product_id: number; variant_id: number; quantity: number; price: string}[];
  /** Codes that take something off it; undefined where the shop does not tell. */
  codes?: string[];
  /** Titles of all products in it, for the reasons that name one. */
  titles: Record<string, string>;
  /** The grant of a discount without a code that it carries. */
  grant?: string;
}

/** Return the cart as it is now. Throws where the shop does not answer, or not in time. */
export async function readCart({routes}: Page): Promise<Cart> {
  const answer = await fetch(`${routes.cart}.js`, {headers: {Accept: 'application/json'}, signal: inTime()});
  const {attributes, currency, discount_codes, items_subtotal_price, items} = (await answer.json()) as AjaxCart;
  const price = (hundredths: number) => decimal(hundredths / 100, currency);
  return {
    currency,
    subtotal: price(items_subtotal_price),
    lines: items.slice(0, MOST_LINES).map(({product_id, variant_id, quantity, final_price}) => ({product_id, variant_id, quantity, price: price(final_price)})),
    codes: discount_codes?.filter(({applicable}) => applicable).map(({code}) => code),
    grant: attributes?.[GRANT],
    titles: Object.fromEntries(items.map(({product_id, product_title}) => [gid(product_id), product_title])),
  };
}

function gid(product: number): string {
  return `gid://shopify/Product/${product}`;
}
