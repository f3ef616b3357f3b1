import type {Offer, Product} from './offer.ts';
import {DECISION, OFFER} from './question.ts';

/** Return Shopify's link to a new cart that holds the product, marked with the decision behind it. */
export function cartPermalink(offer: Offer, product: Product, storefrontUrl?: string): string | undefined {
  if (!storefrontUrl) return undefined;
  const variant = product.variant_id.split('/').pop();
  const properties = base64Url(JSON.stringify({[DECISION]: offer.decision_id, [OFFER]: offer.offer_id}));
  return `${storefrontUrl.replace(/\/+$/, '')}/cart/${variant}:1?properties=${properties}`;
}

function base64Url(text: string): string {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}
