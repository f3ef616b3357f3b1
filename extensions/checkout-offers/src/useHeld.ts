import {useLayoutEffect, useRef} from 'preact/hooks';
import type {Host} from './host.ts';
import {OFFER} from './question.ts';

/** Call back with what has left the order since it was last looked at, as `held` names it. */
export function useHeld(host: Host, gone: (names: string[]) => void): void {
  const now = held(host);
  const before = useRef(now);
  useLayoutEffect(() => {
    const left = before.current.filter((name) => !now.includes(name));
    before.current = now;
    if (left.length) gone(left);
  }, [JSON.stringify(now)]);
}

/** Return what of offers the order holds: the offers that its lines are marked with, and its codes in capitals. */
function held({lines, discountCodes}: Host): string[] {
  const offers = lines.value.flatMap(({attributes}) => attributes.filter(({key}) => key === OFFER).map(({value}) => value ?? ''));
  return [...offers, ...discountCodes.value.map(({code}) => code.toUpperCase())];
}
