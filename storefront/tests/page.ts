/** A storefront's page as Liquid wrote it, the shop behind it, and what an app sees of Shopify. */
import {vi} from 'vitest';
import type {CustomerPrivacy} from '../src/shopify.ts';
import type {Page} from '../src/page.ts';

type Said = ReturnType<CustomerPrivacy['currentVisitorConsent']>;

export const PAGE: Page = {
  locale: 'en',
  country: 'US',
  company: null,
  product_id: 1,
  cart: {filled: false, browser: ''},
  routes: {root: '/', cart: '/cart', cart_add: '/cart/add', cart_update: '/cart/update'},
  proxy: '',
  design: false,
  painter: './painter.ts',
  products: './products.ts',
  words: {
    'bar.label': 'How far your order is',
    'button.add': 'Add to cart',
    'button.add_label': 'Add to cart: {title}',
    'button.apply': 'Apply',
    'button.apply_label': 'Apply the code {code}',
    'button.cart': 'View cart',
    'button.dismiss': 'Not for me',
    'button.dismiss_label': 'Not for me: {title}',
    'button.retry': 'Try again',
    'button.retry_label': 'Try again to add {title}',
    'coupon.code': 'Code {code}',
    'coupon.expires': 'Expires {when}',
    'coupon.no_code': 'Taken off by itself',
    'coupon.save_order': 'Save {saving} on your order',
    'message.message.help': 'Any questions?',
    'message.progress.free_shipping': 'Add {amount} more for free shipping.',
    'message.progress.free_shipping_reached': 'Your order ships for free.',
    'reason.bought_together_with': 'Often bought together with {title}',
    'status.added': 'Added to your cart',
    'status.failed': 'Could not be added',
    'status.sold_out': 'Just sold out',
  },
};

/** Return once nothing is thrown any more; what a page comes to is waited for on a busy machine, too. */
export const eventually = (holds: () => void) => vi.waitFor(holds, {timeout: 30_000});

/** Write the blocks into the page. */
export function write(places = 2, page = PAGE): void {
  document.body.innerHTML = `
    <script type="application/json" data-tillwise-page>${JSON.stringify(page)}</script>
    <section data-tillwise-shelf="waiting">
      <h2 tabindex="-1">Heading</h2>
      ${'<div data-tillwise-place></div>'.repeat(places)}
      <p role="status"></p>
    </section>
    <dialog data-tillwise-leaving data-after="0">
      <h2 tabindex="-1">Before you go</h2>
      <button data-tillwise-close>Close</button>
      <div data-tillwise-list></div>
      <p role="status"></p>
      <button data-tillwise-close="never">Never</button>
    </dialog>`;
}

/** Give the page a visitor who said this; without more, Shopify allows what they said yes to. */
export function visitor(said: Said, allowed: Partial<Record<keyof CustomerPrivacy, boolean>> = {}, region = 'USCA') {
  const published: {name: string; data: Record<string, unknown>}[] = [];
  const customerPrivacy = {
    analyticsProcessingAllowed: () => allowed.analyticsProcessingAllowed ?? said.analytics === 'yes',
    marketingAllowed: () => allowed.marketingAllowed ?? said.marketing === 'yes',
    preferencesProcessingAllowed: () => allowed.preferencesProcessingAllowed ?? said.preferences === 'yes',
    saleOfDataAllowed: () => allowed.saleOfDataAllowed ?? said.sale_of_data === 'yes',
    currentVisitorConsent: () => said,
    getRegion: () => region,
  };
  const analytics = {publish: (name: string, data: Record<string, unknown>) => void published.push({name, data})};
  vi.stubGlobal('Shopify', {customerPrivacy, analytics, loadFeatures: (_: unknown, done: () => void) => done()});
  return published;
}

export const ALL: Said = {analytics: 'yes', marketing: 'yes', preferences: 'yes', sale_of_data: 'yes'};
export const NOTHING: Said = {analytics: 'no', marketing: 'no', preferences: 'no', sale_of_data: 'no'};

export const CART = {currency: 'USD', subtotal: '3.49', lines: [], titles: {'gid://shopify/Product/1': 'Whole Milk'}};
