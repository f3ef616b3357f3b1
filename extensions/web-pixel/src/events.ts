import type {
  AlertDisplayed,
  Cart,
  CartLine,
  Checkout,
  Collection,
  ProductVariant,
  SearchResult,
} from '@shopify/web-pixels-extension';
import type {Consent} from './consent.ts';
import {cartFacts, cartLineFacts, checkoutFacts, listFacts, pathOf, variantFacts, type Facts} from './facts.ts';

/** One event as `POST /api/track_event` takes it. */
export interface TrackedEvent {
  id: string;
  name: string;
  timestamp: string;
  client_id: string;
  checkout_token?: string;
  customer_id?: string;
  data: Facts;
  consent: Consent;
}

/** The parts of Shopify's events that are read; each event fills only its own data. */
export interface ShopifyEvent {
  id: string;
  name: string;
  timestamp: string;
  clientId: string;
  context?: {document?: {location?: {pathname?: string}}};
  data?: {
    productVariant?: ProductVariant;
    cartLine?: CartLine | null;
    cart?: Cart | null;
    checkout?: Checkout;
    searchResult?: SearchResult;
    collection?: Collection;
    alert?: AlertDisplayed;
  };
  customData?: Record<string, unknown> | null;
}

type Minimise = (event: ShopifyEvent) => Facts;

const checkout: Minimise = ({data}) => (data?.checkout ? checkoutFacts(data.checkout) : {});
const cartLine: Minimise = ({data}) => cartLineFacts(data?.cartLine ?? null);

const OFFER_FACTS = ['decision_id', 'offer_id', 'product_id', 'variant_id', 'surface'];
const offer: Minimise = ({customData}) =>
  Object.fromEntries(OFFER_FACTS.map((name) => [name, plain(customData?.[name])]));

/** Every event that the pixel subscribes to, and what it keeps of each. */
export const EVENTS: Record<string, Minimise> = {
  page_viewed: ({context}) => ({path: pathOf(context?.document?.location?.pathname ?? '/')}),
  product_viewed: ({data}) => (data?.productVariant ? variantFacts(data.productVariant) : {}),
  product_added_to_cart: cartLine,
  product_removed_from_cart: cartLine,
  cart_viewed: ({data}) => cartFacts(data?.cart ?? null),
  collection_viewed: ({data}) =>
    data?.collection ? {collection_id: data.collection.id, ...listFacts(data.collection.productVariants)} : {},
  // What was typed may name a person; what was found does not.
  search_submitted: ({data}) => (data?.searchResult ? listFacts(data.searchResult.productVariants) : {}),
  checkout_started: checkout,
  checkout_contact_info_submitted: checkout,
  checkout_address_info_submitted: checkout,
  checkout_shipping_info_submitted: checkout,
  payment_info_submitted: checkout,
  checkout_completed: checkout,
  // The message and the value may quote what the buyer typed.
  alert_displayed: ({data}) => (data?.alert ? {type: data.alert.type} : {}),
  'tillwise:offer_shown': offer,
  'tillwise:offer_accepted': offer,
  'tillwise:offer_failed': offer,
  'tillwise:offer_dismissed': offer,
  // What the storefront embed notices.
  'tillwise:exit_intent': () => ({}),
  'tillwise:page_left': () => ({}),
  'tillwise:thumbnail_clicked': ({customData}) => ({product_id: plain(customData?.product_id)}),
};

/** What the browser notices of a page in use; all that is kept of these is that somebody is there. */
export const DOM_EVENTS = ['clicked', 'input_focused', 'form_submitted'];
export const ACTIVE = 'tillwise:active';

/**
 * Events that do not wait for others: after them the page is often left, and this script with it.
 * `checkout_started` tells whose visit the checkout is, which its offers wait for.
 */
export const SENT_AT_ONCE = new Set([
  'product_added_to_cart',
  'search_submitted',
  'checkout_started',
  'checkout_contact_info_submitted',
  'checkout_address_info_submitted',
  'checkout_shipping_info_submitted',
  'payment_info_submitted',
  'checkout_completed',
  'tillwise:exit_intent',
  'tillwise:page_left',
]);

/** Return what Tillwise may know of an event under this consent. */
export function track(event: ShopifyEvent, consent: Consent, customerId?: string | null): TrackedEvent {
  return {
    id: event.id,
    name: event.name,
    timestamp: event.timestamp,
    client_id: event.clientId,
    checkout_token: checkoutToken(event),
    customer_id: consent.preferences && consent.marketing ? customerId ?? undefined : undefined,
    data: EVENTS[event.name]?.(event) ?? {},
    consent,
  };
}

function checkoutToken({data, customData}: ShopifyEvent): string | undefined {
  const token = data?.checkout?.token ?? plain(customData?.checkout_token);
  return typeof token === 'string' ? token : undefined;
}

function plain(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
