import type {Page} from './page.ts';

/** Return Shopify's link that applies the code to the checkout that follows, and goes on to this address. */
export function discountLink({routes}: Page, code: string, next = routes.cart): string {
  return `${routes.root.replace(/\/$/, '')}/discount/${encodeURIComponent(code)}?redirect=${encodeURIComponent(next)}`;
}
