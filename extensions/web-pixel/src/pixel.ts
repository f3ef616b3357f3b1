import type {ExtensionApi} from '@shopify/web-pixels-extension';
import {createBatch} from './batch.ts';
import {INSISTENTLY_MS, send} from './client.ts';
import {consentOf} from './consent.ts';
import {ACTIVE, DOM_EVENTS, SENT_AT_ONCE, EVENTS, track, type ShopifyEvent} from './events.ts';
import {createVisit} from './visit.ts';
import {withdrawal} from './withdrawal.ts';

/** A page in use is told of this often, however much is clicked in it. */
export const ACTIVE_EVERY_MS = 30_000;

/** Send what the visitor does to Tillwise, from the moment the visitor allows analytics and no longer. */
export function pixel({analytics, browser, customerPrivacy, init, settings}: ExtensionApi): void {
  const accountId = String(settings.accountID ?? '');
  if (!accountId) return;
  const customerId = init.data?.customer?.id;
  const visit = createVisit(browser.sessionStorage);
  let consent = consentOf(init.customerPrivacy);
  const batch = createBatch((events) => void send(events, accountId, () => consent.analytics));
  /** Shopify names the browser in its events only. */
  let clientId: string | undefined;
  /** A withdrawal that the app is still to be told of. */
  let owed = false;

  customerPrivacy.subscribe('visitorConsentCollected', (event) => {
    const before = consent;
    consent = consentOf(event.customerPrivacy);
    owed = !consent.analytics && (owed || before.analytics);
    if (consent.analytics) return;
    batch.clear();
    visit.forget();
    tellWithdrawal();
  });

  function tellWithdrawal() {
    if (!owed || !clientId) return;
    owed = false;
    // Nothing else tells of it. After a new yes it would come later than that.
    void send([withdrawal(clientId, consent, new Date())], accountId, () => !consent.analytics, INSISTENTLY_MS);
  }

  async function receive(event: ShopifyEvent) {
    clientId = event.clientId;
    tellWithdrawal();
    if (!consent.analytics || !(await visit.admit(event.id))) return;
    // It may have been withdrawn while the count was read.
    if (consent.analytics) batch.add(track(event, consent, customerId), SENT_AT_ONCE.has(event.name));
  }

  let activeAt = -Infinity;
  function notice(event: ShopifyEvent) {
    const now = Date.now();
    if (!consent.analytics || now - activeAt < ACTIVE_EVERY_MS) return;
    activeAt = now;
    // The element, and what was typed in it, stay behind.
    void receive({id: event.id, name: ACTIVE, timestamp: event.timestamp, clientId: event.clientId});
  }

  for (const name of DOM_EVENTS) {
    analytics.subscribe(name, (event) => notice(event as ShopifyEvent));
  }
  for (const name of Object.keys(EVENTS)) {
    analytics.subscribe(name, (event) => void receive(event as ShopifyEvent));
  }
}
