import type {Answer} from './answer.ts';
import type {Offer} from './offer.ts';

/** However often answers say that it is worth it, a page that stays as it is asks no more questions. */
export const MOST_QUESTIONS = 6;

/** Ask each time that it is worth it, until there is something to say. Return that, or nothing once the signal aborts. */
export async function askAgain(after_s: number | undefined, ask: () => Promise<Answer | null>, signal: AbortSignal): Promise<Offer[]> {
  for (let left = MOST_QUESTIONS; after_s && left > 0; left--) {
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
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      done(!signal.aborted);
    };
    const timer = setTimeout(over, signal.aborted ? 0 : time_ms);
    signal.addEventListener('abort', over);
  });
}
