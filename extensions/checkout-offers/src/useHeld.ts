import {useLayoutEffect, useRef} from 'preact/hooks';
import type {Host} from './host.ts';
import {OFFER} from './question.ts';

/** What of offers came into the order, and what left it. */
export interface Moves {
  come: string[];
  gone: string[];
}

/** Call back when offers' lines or codes come into the order or leave it, whoever moved them. */
export function useHeld(host: Host, moved: (moves: Moves) => void): void {
  const now = held(host);
  const last = useRef(now);
  useLayoutEffect(() => {
    const before = last.current;
    last.current = now;
    const without = (these: string[], those: string[]) => these.filter((name) => !those.includes(name));
    const moves = {come: without(now, before), gone: without(before, now)};
    if (moves.come.length || moves.gone.length) moved(moves);
  }, [JSON.stringify(now)]);
}

/** Return what the order has of offers: those that its lines are marked with, and its codes in capitals. */
export function held({lines, discountCodes}: Host): string[] {
  const offers = lines.value.flatMap(({attributes}) => attributes.filter(({key}) => key === OFFER).map(({value}) => value ?? ''));
  return [...offers, ...discountCodes.value.map(({code}) => code.toUpperCase())];
}
