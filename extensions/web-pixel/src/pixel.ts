import type {ExtensionApi} from '@shopify/web-pixels-extension';
import {createBatch} from './batch.ts';
import {send} from './client.ts';
import {consentOf} from './consent.ts';
import {ENDS_THE_PAGE, EVENTS, track, type ShopifyEvent} from './events.ts';
import {createVisit} from './visit.ts';

/** Send what the visitor does to Tillwise, from the moment the visitor allows analytics and no longer. */
export function pixel({analytics, browser, customerPrivacy, init, settings}: ExtensionApi): void {
  const accountId = String(settings.accountID ?? '');
  if (!accountId) return;
  const customerId = init.data?.customer?.id;
  const visit = createVisit(browser.sessionStorage);
  const batch = createBatch((events) => void send(events, accountId));
  let consent = consentOf(init.customerPrivacy);

  customerPrivacy.subscribe('visitorConsentCollected', (event) => {
    consent = consentOf(event.customerPrivacy);
    if (!consent.analytics) batch.clear();
  });

  async function receive(event: ShopifyEvent) {
    if (!consent.analytics || !(await visit.admit(event.id))) return;
    // It may have been withdrawn while the count was read.
    if (consent.analytics) batch.add(track(event, consent, customerId), ENDS_THE_PAGE.has(event.name));
  }

  for (const name of Object.keys(EVENTS)) {
    analytics.subscribe(name, (event) => void receive(event as ShopifyEvent));
  }
}
