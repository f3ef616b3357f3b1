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
  /** After what is taken off the cart as a whole, which no item's price knows of. */
  total_price: number;
  items: AjaxItem[];
}

interface AjaxItem {
  product_id: number;
  variant_id: number;
  quantity: number;
  final_price: number;
  product_title: string;
  gift_card?: boolean;
  selling_plan_allocation?: {selling_plan: {recurring_deliveries: boolean}};
}

export interface Cart {
  currency: string;
  subtotal: string;
  /** No more than an address holds, newest first. */
  lines: {product_id: number; variant_id: number; quantity: number; price: string; full_price?: true}[];
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
  const {attributes, currency, discount_codes, items_subtotal_price, total_price, items} = (await answer.json()) as AjaxCart;
  const price = (hundredths: number) => decimal(hundredths / 100, currency);
  const left = items_subtotal_price ? total_price / items_subtotal_price : 1;
  return {
    currency,
    subtotal: price(items_subtotal_price),
    lines: items.slice(0, MOST_LINES).map((item) => ({
      product_id: item.product_id,
      variant_id: item.variant_id,
      quantity: item.quantity,
      price: price(item.final_price * left),
      full_price: isFullPrice(item),
    })),
    codes: discount_codes?.filter(({applicable}) => applicable).map(({code}) => code),
    grant: attributes?.[GRANT],
    titles: Object.fromEntries(items.map(({product_id, product_title}) => [gid(product_id), product_title])),
  };
}

/** Return whether no code takes anything off it: it comes again and again, or is a gift card. */
function isFullPrice({gift_card, selling_plan_allocation}: AjaxItem): true | undefined {
  return gift_card || selling_plan_allocation?.selling_plan.recurring_deliveries || undefined;
}

function gid(product: number): string {
  return `gid://shopify/Product/${product}`;
}
