import type {Page} from './page.ts';

/** Return Shopify's link that applies the code to the checkout that follows, and goes on to the cart. */
export function discountLink({routes}: Page, code: string): string {
  return `${routes.root.replace(/\/$/, '')}/discount/${encodeURIComponent(code)}?redirect=${encodeURIComponent(routes.cart)}`;
}
