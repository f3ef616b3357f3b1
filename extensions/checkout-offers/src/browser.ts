import {consentOf} from './consent.ts';
import type {Host} from './host.ts';
import type {Surface} from './surface.ts';

/** Of the cart itself: Shopify's id of the browser that filled it, as long as that may be known. */
export const BROWSER = '_tillwise_browser';

/** As the app takes an id; a link to a cart may have brought along anything. */
const ID = /^[!-~]{1,100}$/;

/**
 * Return the browser that filled the cart, as the storefront's script noted it there. An order is looked at in others as
 * well, and so may a checkout be: one that asked for no consent yet refuses nothing in its name.
 */
export function browserOf({attributes, customerPrivacy}: Host, surface: Surface): string | undefined {
  const {analytics: said} = {...customerPrivacy.value.visitorConsent};
  const isUnasked = said === undefined && consentOf(customerPrivacy.value).analytics === false;
  if (surface === 'order_status' || isUnasked) return undefined;
  const value = attributes.value?.find(({key}) => key === BROWSER)?.value;
  return value && ID.test(value) ? value : undefined;
}
