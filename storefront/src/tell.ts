/** What happened to an offer: each thing is told once. */
import type {Offer} from '../../extensions/checkout-offers/src/offer.ts';
import {mayWatch} from './privacy.ts';
import {publish} from './publish.ts';

type OfferEvent = 'shown' | 'accepted' | 'failed' | 'dismissed';

const said = new Set<string>();

export function tell(happening: OfferEvent, {decision_id, offer_id, product}: Offer): void {
  const sentence = `${happening} ${decision_id} ${offer_id}`;
  if (!decision_id || !mayWatch() || said.has(sentence)) return;
  said.add(sentence);
  publish(`offer_${happening}`, {
    decision_id,
    offer_id,
    product_id: product?.product_id ?? null,
    variant_id: product?.variant_id ?? null,
    surface: 'storefront',
    checkout_token: null,
  });
}
