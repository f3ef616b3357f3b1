import {useEffect, useState} from 'preact/hooks';

const MINUTE_MS = 60_000;

/** Return the time, and render again each minute while something on show expires, and when it does. */
export function useNow(expiries: readonly (number | undefined)[]): number {
  const [now, setNow] = useState(Date.now);
  const next = Math.min(...expiries.map((moment) => moment ?? Infinity).filter((moment) => moment > now));
  useEffect(() => {
    if (next === Infinity) return undefined;
    const timer = setTimeout(() => setNow(Date.now()), Math.min(Math.max(next - Date.now(), 0) + 1, MINUTE_MS));
    return () => clearTimeout(timer);
  }, [next, now]);
  return now;
}
