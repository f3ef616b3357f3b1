/** The script of every page: it watches, asks when the browser has time, and has offers painted. */
import {ask, type Asked} from './ask.ts';
import {nameCart} from './guest.ts';
import {isSettled, mayPart} from './kept.ts';
import {watchLeaving} from './exitIntent.ts';
import {readPage, type Page} from './page.ts';
import type {Painter} from './painter.ts';
import {watchSight, watchThumbnails} from './presence.ts';
import {consent, isNarrower, whenAnswered, whenKnown} from './privacy.ts';
import {publish} from './publish.ts';
import {TOOLS, type Tools} from './tools.ts';

const STARTED = 'tillwiseStarted';
const IDLE_MS = 2000;

/** Start once, however many blocks brought the script along. */
export function start(): void {
  const page = readPage();
  const {dataset} = document.documentElement;
  if (!page || page.design || STARTED in dataset) return;
  dataset[STARTED] = '';
  whenKnown(() => live(page));
}

function live(page: Page): void {
  const dialog = document.querySelector<HTMLElement>('[data-tillwise-leaving]');
  const places = document.querySelectorAll<HTMLElement>('[data-tillwise-shelf]');
  let before = consent();
  const name = nameCart(page);
  let painter: Painter | undefined;
  let asked: Promise<Asked | null>;

  /** Do something with the painter, which comes with the first wish for it. */
  async function paint(what: (painter: Painter) => void): Promise<void> {
    try {
      painter ??= ((await import(page.painter)) as {painter(page: Page, tools: Tools): Painter}).painter(page, TOOLS);
      what(painter);
    } catch {
      // Without the painter there is nothing to wait for.
      for (const place of places) place.dataset.tillwiseShelf = 'empty';
    }
  }

  /** Ask where there is a place for the answer, or there may be one yet: the shop is then warm at checkout too. */
  async function found(soon: (then: () => void) => void): Promise<void> {
    const wanted = places.length > 0 || (dialog?.dataset.after && !isSettled());
    // What campaigns say is used up by being asked for, so it is left where there is no place for it yet.
    const wants = places.length ? undefined : 'products';
    const mine = (asked = wanted ? new Promise((done) => soon(() => done(ask(page, 'page', wants)))) : Promise.resolve(null));
    const given = await mine;
    if (places.length && mine === asked) await paint((with_) => mine === asked && with_.paint(given));
  }

  whenAnswered(() => {
    const now = consent();
    if (isNarrower(now, before)) painter?.clear();
    before = now;
    name();
    void found((then) => then());
  });
  void found(idle);
  watchSight();
  watchThumbnails(page, dialog?.dataset.thumbnails);

  if (!dialog?.dataset.after || isSettled()) return;
  const stop = watchLeaving(Number(dialog.dataset.after) * 1000, async () => {
    if (!mayPart()) return;
    stop();
    publish('exit_intent');
    const mine = asked;
    // What is best now, else what was found when the page came.
    const given = (await ask(page, 'exit_intent')) ?? (await mine);
    // A change of consent in between has the last word.
    if (given?.offers.length && mine === asked) await paint((with_) => mine === asked && with_.part(given));
  });
}

function idle(then: () => void): void {
  if ('requestIdleCallback' in window) requestIdleCallback(then, {timeout: IDLE_MS});
  else setTimeout(then, IDLE_MS / 10);
}

start();
