import type {Answer} from './answer.ts';
import type {Offer} from './offer.ts';

/** However often answers say that it is worth asking again, a page that stays as it is asks no more often. */
export const MOST = 6;

/** Ask each time that it is worth it, until there is something to say. Return that, or nothing once the signal aborts. */
export async function askAgain(after_s: number | undefined, ask: () => Promise<Answer | null>, signal: AbortSignal): Promise<Offer[]> {
  for (let left = MOST; after_s && left > 0; left--) {
    if (!(await pause(after_s * 1000, signal))) return [];
    const answer = await ask();
    if (answer?.offers.length) return answer.offers;
    after_s = answer?.again_s;
  }
  return [];
}

/** Return true after the time, or false at once when the signal aborts. */
export function pause(time_ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((done) => {
    const timer = setTimeout(() => done(!signal.aborted), time_ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      done(false);
    });
  });
}
