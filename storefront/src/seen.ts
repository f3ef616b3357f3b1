/** An impression is an offer that was in sight, by half. */
import type {Offer} from '../../extensions/checkout-offers/src/offer.ts';
import {lent} from './lent.ts';

const HALF = 0.5;

/** Tell that the offer was shown once its card is in sight. */
export function watch(shown: HTMLElement, offer: Offer): void {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({isIntersecting}) => isIntersecting)) return;
      observer.disconnect();
      lent.tell('shown', offer);
    },
    {threshold: HALF},
  );
  observer.observe(shown);
}
