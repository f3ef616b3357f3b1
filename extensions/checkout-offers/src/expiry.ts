import type {Line} from './model.ts';
import type {Discount} from './offer.ts';

const MONTH_MS = 30 * 86_400_000;

/** Return whether a discount has ended. now: milliseconds since 1970. */
export function isOver({expires_at}: Discount, now: number): boolean {
  return expires_at !== undefined && expires_at <= now;
}

/** Return until when it is good, if that is to be said: what is far off is no news, and would only press. */
export function expiry({expires_at}: Discount, now: number): Line[] {
  return expires_at === undefined || expires_at - now > MONTH_MS ? [] : [{text: {key: 'coupon.expires', when: {when: expires_at}}, tone: 'neutral'}];
}
