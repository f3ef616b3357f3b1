import type {Offer} from './offer.ts';
import type {Surface} from './surface.ts';

export type OfferEvent = 'shown' | 'accepted' | 'failed' | 'dismissed';

interface Analytics {
  publish(name: string, data: Record<string, unknown>): Promise<boolean>;
}

export type Publish = (happening: OfferEvent, offer: Offer, checkout_token: string | undefined) => void;

/** Return a publisher of `tillwise:offer_…`, which says each thing about an offer once, and nothing of an offer that no decision knows. */
export function publisher(analytics: Analytics, surface: Surface): Publish {
  const said = new Set<string>();
  return (happening, offer, checkout_token) => {
    const sentence = `${happening} ${offer.decision_id} ${offer.offer_id}`;
    if (!offer.decision_id || said.has(sentence)) return;
    said.add(sentence);
    void send(analytics, `tillwise:offer_${happening}`, facts(offer, surface, checkout_token));
  };
}

function facts(offer: Offer, surface: Surface, checkout_token: string | undefined): Record<string, unknown> {
  return {
    decision_id: offer.decision_id,
    offer_id: offer.offer_id,
    product_id: offer.product?.product_id ?? null,
    variant_id: offer.product?.variant_id ?? null,
    surface,
    checkout_token: checkout_token ?? null,
  };
}

/** A pixel that is absent or refuses must not be the buyer's problem. */
async function send(analytics: Analytics, name: string, data: Record<string, unknown>): Promise<void> {
  try {
    await analytics.publish(name, data);
  } catch {
    // Not measured, then.
  }
}
