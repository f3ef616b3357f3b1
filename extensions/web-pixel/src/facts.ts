import type {Cart, CartLine, Checkout, CheckoutLineItem, MoneyV2, ProductVariant} from '@shopify/web-pixels-extension';

/** What is kept of an event: ids, prices, quantities, paths. Nothing here names a person. */
export type Facts = Record<string, unknown>;

/** An order of more lines is described by its first ones. */
const MOST_LINES = 100;
const MOST_PRODUCTS = 20;

/** Path segments after which a token that opens a customer's page may follow. */
const PRIVATE = new Set([
  'account', 'authenticate', 'cart', 'carts', 'checkout', 'checkouts', 'customer_authentication', 'gift_cards', 'invoices', 'orders',
]);
/** Another app's page, whose paths are its own: no more than which app it is. */
const PROXY = /^(?:\/[a-z]{2}(?:-[a-z]{2,4})?)?\/(?:a|apps|community|tools)\/[^/]+/i;

/** Return the path without query, hash, or anything that could open a customer's page. */
export function pathOf(pathname: string): string {
  const [proxied] = PROXY.exec(pathname) ?? [];
  if (proxied) return proxied;
  const segments = pathname.split('/');
  const end = segments.findIndex((segment) => PRIVATE.has(segment));
  return (end < 0 ? segments : segments.slice(0, end + 1)).join('/') || '/';
}

export function variantFacts(variant: ProductVariant): Facts {
  return {product_id: variant.product.id, variant_id: variant.id, ...moneyFacts('price', variant.price)};
}

export function cartLineFacts(line: CartLine | null): Facts {
  return line ? {...variantFacts(line.merchandise), quantity: line.quantity} : {};
}

export function cartFacts(cart: Cart | null): Facts {
  if (!cart) return {};
  return {...moneyFacts('total', cart.cost.totalAmount), lines: cart.lines.slice(0, MOST_LINES).map(cartLineFacts)};
}

export function checkoutFacts(checkout: Checkout): Facts {
  return {
    order_id: checkout.order?.id ?? null,
    ...moneyFacts('total', checkout.totalPrice),
    subtotal: checkout.subtotalPrice && decimal(checkout.subtotalPrice),
    lines: checkout.lineItems.slice(0, MOST_LINES).map(lineItemFacts),
  };
}

export function listFacts(variants: ProductVariant[]): Facts {
  return {count: variants.length, product_ids: variants.slice(0, MOST_PRODUCTS).map(({product}) => product.id)};
}

function lineItemFacts({variant, quantity}: CheckoutLineItem): Facts {
  return {...(variant ? variantFacts(variant) : {}), quantity};
}

function moneyFacts(name: string, money: MoneyV2 | null): Facts {
  return money ? {[name]: decimal(money), currency: money.currencyCode} : {};
}

/** Return the amount as Tillwise takes money, with its currency's digits: 12.5 USD -> "12.50". */
function decimal({amount, currencyCode}: MoneyV2): string {
  const format = new Intl.NumberFormat('en', {style: 'currency', currency: currencyCode});
  return amount.toFixed(format.resolvedOptions().maximumFractionDigits);
}
