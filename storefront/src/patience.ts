/** So long each request may take; what comes later is of no use to the page. */
const PATIENCE_MS = 2000;

/** Return what ends a request that takes too long. */
export function inTime(): AbortSignal {
  return AbortSignal.timeout(PATIENCE_MS);
}
