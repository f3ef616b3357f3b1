import type {TrackedEvent} from './events.ts';

/** The Shopify CLI writes the app's address in when it builds. */
const APP_URL = (process.env.APP_URL ?? '').replace(/\/+$/, '');

const RETRY_AFTER_MS = 1000;

/**
 * Send the events, twice when the app was not reached or is overloaded; it drops what it has already.
 * The second time only if they may still be sent.
 */
export async function send(events: TrackedEvent[], accountId: string, may: () => boolean = () => true): Promise<void> {
  if (await reached(events, accountId)) return;
  await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
  if (may()) await reached(events, accountId);
}

async function reached(events: TrackedEvent[], accountId: string): Promise<boolean> {
  try {
    const response = await fetch(`${APP_URL}/api/track_event`, {
      method: 'POST',
      headers: {'Content-Type': 'application/json', Authorization: `Bearer ${accountId}`},
      body: JSON.stringify({events}),
      keepalive: true,
    });
    return response.status < 500 && response.status !== 429;
  } catch {
    return false;
  }
}
