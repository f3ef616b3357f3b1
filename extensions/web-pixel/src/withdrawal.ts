import type {Consent} from './consent.ts';
import type {TrackedEvent} from './events.ts';

/** What the app is told when the visitor takes analytics back, so that it forgets what it has. */
export const CONSENT_CHANGED = 'tillwise:consent_changed';

/**
 * Return the only event that is sent without analytics: a withdrawal must reach whoever holds the data.
 * It says which browser, what is allowed now, and nothing of what the visitor does.
 */
export function withdrawal(clientId: string, consent: Consent, now: Date): TrackedEvent {
  return {id: randomId(), name: CONSENT_CHANGED, timestamp: now.toISOString(), client_id: clientId, data: {}, consent};
}

/** Nobody's: an id made of the browser's would stay behind where the app remembers what it has seen. */
function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16).padStart(8, '0')).join('');
}
