import {paint} from './ahead.ts';
import {readAhead} from './aheadForm.ts';
import {browserOf} from './browser.ts';
import {consentOf} from './consent.ts';
import type {Host} from './host.ts';
import {card} from './model.ts';
import type {Offer} from './offer.ts';
import {productsOf} from './question.ts';
import {sampleOffers} from './sample.ts';
import {scene} from './scene.ts';
import {painted, type State} from './state.ts';
import type {Surface} from './surface.ts';

/** Return the first state, which needs no network: samples in the editor, else what was put ahead into metafields. */
export function begin(host: Host, surface: Surface, now: number): State {
  const here = scene(host, surface, now);
  if (here.preview) return {loading: false, entries: painted(sampleOffers(host.i18n, here)).entries};
  return painted(ahead(host, surface, now));
}

/** Return what can be painted of the offers put ahead, no more than there are places; nothing as long as not enough is known. */
export function ahead(host: Host, surface: Surface, now: number): Offer[] {
  const here = scene(host, surface, now);
  const {entries} = painted(offersAhead(host, surface));
  const shown = entries.filter((entry) => card(entry, here)).slice(0, here.settings.max_offers);
  return shown.map(({offer}) => offer);
}

function offersAhead(host: Host, surface: Surface): Offer[] {
  const ahead = readAhead(host.appMetafields.value);
  if (!ahead) return [];
  return paint(ahead, {
    cart: host.lines.value.flatMap(productsOf),
    checkout_token: host.checkoutToken.value,
    client_id: browserOf(host, surface),
    customer: customerOf(host),
    consent: consentOf(host.customerPrivacy.value),
  });
}

/** Return the customer's number; null for a guest, undefined where the checkout may not tell. */
export function customerOf(host: Host): string | null | undefined {
  if (!('buyerIdentity' in host) || !host.buyerIdentity) return undefined;
  return host.buyerIdentity.customer.value?.id.split('/').pop() ?? null;
}
