import type {TrackedEvent} from './events.ts';

/** The Shopify CLI writes the app's address in when it builds. */
const APP_URL = (process.env.APP_URL ?? '').replace(/\/+$/, '');

const ONCE_MORE_MS = [1000];
/** As long as a page is likely to be open. */
export const INSISTENTLY_MS = [1000, 4000, 15_000, 60_000, 240_000];

/**
 * Send the events, and again after each pause when the app was not reached or is overloaded; it drops what it has
 * already. Again only if they may still be sent.
 */
export async function send(events: TrackedEvent[], accountId: string, may: () => boolean, pauses_ms = ONCE_MORE_MS): Promise<void> {
  if (await reached(events, accountId)) return;
  for (const pause_ms of pauses_ms) {
    await new Promise((resolve) => setTimeout(resolve, pause_ms));
    if (!may() || (await reached(events, accountId))) return;
  }
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
