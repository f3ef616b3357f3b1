import type {Host} from './host.ts';
import type {Surface} from './surface.ts';

/** Of the cart itself: Shopify's id of the browser that filled it, as long as that may be known. */
export const BROWSER = '_tillwise_browser';

/** As the app takes an id; a link to a cart may have brought along anything. */
const ID = /^[!-~]{1,100}$/;

/** Return the browser that filled the cart, as the storefront's script noted it there. An order is looked at in others as well. */
export function browserOf({attributes}: Host, surface: Surface): string | undefined {
  if (surface === 'order_status') return undefined;
  const value = attributes.value?.find(({key}) => key === BROWSER)?.value;
  return value && ID.test(value) ? value : undefined;
}
