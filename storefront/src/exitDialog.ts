/** What is offered to who is about to leave: a dialog at the page's edge that takes nothing away from the page. */
import type {Asked} from './ask.ts';
import {lent} from './lent.ts';
import type {Draw} from './painter.ts';
import {watch} from './seen.ts';

const MOST = 2;

export interface ExitDialog {
  show(asked: Asked | null): void;
  /** Take it away, as if it had not been there. */
  withdraw(): void;
}

export function exitDialog(dialog: HTMLDialogElement, draw: Draw): ExitDialog {
  const list = dialog.querySelector<HTMLElement>('[data-tillwise-list]')!;
  const status = dialog.querySelector<HTMLElement>('[role=status]')!;
  const heading = dialog.querySelector('h2')!;

  function close(): void {
    lent.keepOnce();
    dialog.close();
  }

  function refused(made: HTMLElement): void {
    heading.focus(); // a dialog without the focus gives none back
    made.remove();
    if (!list.hasChildNodes()) close();
  }

  dialog.addEventListener('click', ({target}) => {
    const pressed = (target as Element).closest<HTMLElement>('[data-tillwise-close]');
    if (!pressed) return;
    if (pressed.dataset.tillwiseClose === 'never') lent.keepNever();
    close();
  });
  document.addEventListener('keydown', ({key}) => {
    if (key === 'Escape' && dialog.open) close();
  });

  return {
    show(asked) {
      const cards = draw(asked, {status, refused}).slice(0, MOST);
      if (!cards.length || !lent.mayPart()) return;
      if (lent.mayWatch()) lent.keepOnce();
      list.replaceChildren(...cards.map(({made}) => made));
      dialog.style.setProperty('--tillwise-ground', ground());
      dialog.show();
      heading.focus({preventScroll: true});
      for (const {made, offer} of cards) watch(made, offer);
    },
    withdraw() {
      list.replaceChildren();
      dialog.close();
    },
  };
}

/** Return the colour that the theme's text stands on. */
function ground(): string {
  const colours = [document.body, document.documentElement].map((each) => getComputedStyle(each).backgroundColor);
  return colours.find((colour) => colour && !/^(transparent|rgba\(.*, 0\))$/.test(colour)) ?? 'Canvas';
}
