/** The script that paints offers: loaded where there are places for them, or something to say to who leaves. */
import type {Offer} from '../../extensions/checkout-offers/src/offer.ts';
import type {Asked} from './ask.ts';
import {card, type Place} from './card.ts';
import {exitDialog} from './exitDialog.ts';
import {borrow} from './lent.ts';
import type {Page} from './page.ts';
import {shelf} from './shelf.ts';
import {speakerOf} from './speech.ts';
import type {Tools} from './tools.ts';

export interface Painter {
  /** Fill the places of the page, each offer in one of them; no answer leaves them empty. */
  paint(asked: Asked | null): void;
  /** Open the dialog, if there is anything to put into it. */
  part(asked: Asked | null): void;
  /** Take every offer away, as a withdrawal of consent does. */
  clear(): void;
}

export interface Painted {
  offer: Offer;
  made: HTMLElement;
}

/** Return the cards of an answer, best first. */
export type Draw = (asked: Asked | null, place: Pick<Place, 'status' | 'refused'>) => Painted[];

export function painter(page: Page, tools: Tools): Painter {
  borrow(tools);
  const draw: Draw = (asked, place) => {
    if (!asked) return [];
    const {offers, cart} = asked;
    const speaker = speakerOf(page, cart.currency);
    return offers.flatMap((offer) => {
      const made = card(offer, {...place, page, speaker, cart});
      return made ? [{made, offer}] : [];
    });
  };
  const shelves = [...document.querySelectorAll<HTMLElement>('[data-tillwise-shelf]')].map((root) => shelf(root, draw));
  const dialog = document.querySelector<HTMLDialogElement>('[data-tillwise-leaving]');
  const parting = dialog && exitDialog(dialog, draw);
  return {
    paint: (asked) => void shelves.reduce((left, each) => each.paint(left), asked),
    part: (asked) => parting?.show(asked),
    clear() {
      for (const each of shelves) each.clear();
      parting?.withdraw();
    },
  };
}
