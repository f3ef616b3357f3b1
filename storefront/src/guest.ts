/** The browser's id on the cart, by which the checkout knows a guest again: as long as they allow analytics. */
import {BROWSER} from '../../extensions/checkout-offers/src/browser.ts';
import {carry} from './grant.ts';
import type {Page} from './page.ts';
import {clientId} from './privacy.ts';

/**
 * Keep what the cart says of its browser in step with what is allowed; return what to call when that changes. A cart
 * with nothing in it is left alone: most visitors never have another one.
 */
export function nameCart({cart, routes}: Page): () => void {
  let {browser, filled} = cart;
  let last = Promise.resolve();

  /** One after the other, so that what was allowed last stands at the end. */
  function name(): void {
    last = last.then(async () => {
      const allowed = clientId() ?? '';
      if (filled && allowed !== browser && (await carry(routes.cart_update, BROWSER, allowed))) browser = allowed;
    });
  }

  function added(): void {
    filled = true;
    name();
  }

  // Whatever a theme adds with, the browser tells of the request; of one to the Storefront API Shopify's event does.
  new PerformanceObserver((list) => list.getEntries().some((each) => /\/cart\/add/.test(each.name)) && added()).observe({type: 'resource'});
  document.addEventListener('shopify:cart:lines-update', (event) => void (event as CartChange).promise?.then(added, () => {}));
  name();
  return name;
}

/** https://shopify.dev/docs/api/storefront-events-and-actions/events/cart-lines-update */
interface CartChange extends Event {
  promise?: Promise<unknown>;
}
