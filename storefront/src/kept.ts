/** The little that stays in the browser: that the shopper wants no more of this, and that this visit had its offer. */
const NEVER = 'tillwise_never';
const ONCE = 'tillwise_once';

/** Return whether the shopper said no for good, or has had the offer of this visit. */
export function isSettled(): boolean {
  return read('localStorage', NEVER) || read('sessionStorage', ONCE);
}

/** For good. It is what the shopper asked for, so it needs no consent. */
export function keepNever(): void {
  write('localStorage', NEVER);
}

/** For this visit: on showing where analytics is allowed, else once the shopper closes it. */
export function keepOnce(): void {
  write('sessionStorage', ONCE);
}

type Area = 'localStorage' | 'sessionStorage';

function read(area: Area, key: string): boolean {
  try {
    return window[area].getItem(key) !== null;
  } catch {
    return false;
  }
}

function write(area: Area, key: string): void {
  try {
    window[area].setItem(key, '1');
  } catch {
    // Then it holds for this page.
  }
}

/** Return whether something may be said to who leaves now. Nobody who types is leaving, and no focus is taken from them. */
export function mayPart(): boolean {
  return !isSettled() && !document.activeElement?.matches('input, textarea, select, [contenteditable]');
}
