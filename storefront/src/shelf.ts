/**
 * The recommendations block. Liquid reserved a place for each offer, so what is painted moves nothing. Places that
 * stay empty keep their room while they are in sight, and give it up below it.
 */
import type {Asked} from './ask.ts';
import type {Draw} from './painter.ts';
import {watch} from './seen.ts';

export interface Shelf {
  /** Fill the places and return what is left for another block; with nothing to fill them, this one is empty. */
  paint(asked: Asked | null): Asked | null;
  /** Empty them for what is to come. */
  clear(): void;
}

export function shelf(root: HTMLElement, draw: Draw): Shelf {
  const places = [...root.querySelectorAll<HTMLElement>('[data-tillwise-place]')];
  const status = root.querySelector<HTMLElement>('[role=status]')!;

  function rest(): void {
    const isTaken = places.some((place) => place.hasChildNodes());
    root.dataset.tillwiseShelf = isTaken ? 'ready' : 'empty';
    root.hidden = !isTaken && (root.hidden || root.getBoundingClientRect().top >= innerHeight);
  }

  function refused(made: HTMLElement): void {
    root.querySelector('h2')!.focus(); // while it can be seen
    made.remove();
    rest();
  }

  return {
    paint(asked) {
      const cards = draw(asked, {status, refused});
      status.textContent = '';
      places.forEach((place, at) => place.replaceChildren(...cards.slice(at, at + 1).map(({made}) => made)));
      rest();
      for (const {made, offer} of cards.splice(0, places.length)) watch(made, offer);
      return asked && {...asked, offers: cards.map(({offer}) => offer)};
    },
    clear() {
      for (const place of places) place.replaceChildren();
      root.dataset.tillwiseShelf = 'waiting';
    },
  };
}
