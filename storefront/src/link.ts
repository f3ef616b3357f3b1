import type {Page} from './page.ts';

/** Return Shopify's link that applies the code to the checkout that follows, and goes on to the cart. */
export function discountLink(page: Page, code: string): string {
  return `${linkTo(page, 'discount', code)}?redirect=${encodeURIComponent(page.routes.cart)}`;
}

export function linkTo({routes}: Page, kind: 'discount' | 'products', name: string): string {
  return `${routes.root.replace(/\/$/, '')}/${kind}/${encodeURIComponent(name)}`;
}
