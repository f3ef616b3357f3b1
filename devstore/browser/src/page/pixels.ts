/** The page's bus of customer events, and the one app pixel that listens to it. */
import type {Line} from '../calls.ts';
import {allowedBy, type Consent, type Privacy} from '../privacy.ts';
import type {PageBoot} from './boot.ts';
import {forPixels} from './consent.ts';
import {context, customEvent, readCookie, standardEvent, writeCookie, type Envelope} from './events.ts';
import {openSandbox} from './sandbox.ts';

function storage(area: 'localStorage' | 'sessionStorage') {
  const get = (key: unknown) => window[area].getItem(`pixel:${String(key)}`);
  const set = (entry: unknown) => {
    const {key, value} = entry as {key: string; value: string};
    window[area].setItem(`pixel:${key}`, value);
  };
  const remove = (key: unknown) => window[area].removeItem(`pixel:${String(key)}`);
  return {[`${area}.get`]: get, [`${area}.set`]: set, [`${area}.remove`]: remove};
}

function setCookie(entry: unknown): string {
  const {name, value = ''} = entry as {name: string; value?: string};
  writeCookie(name, value);
  return value;
}

export class Pixels {
  private readonly backlog: Envelope[] = [];
  private line: Line | undefined;
  private started = false;
  private opening = false;

  private consent: Consent;

  constructor(private readonly boot: PageBoot) {
    this.consent = allowedBy(boot.privacy);
  }

  publish(name: string, data: unknown): void {
    this.send(standardEvent(name, data));
  }

  publishCustom(name: string, data: unknown): void {
    this.send(customEvent(name, data));
  }

  /** Tell the pixel of a new choice; one that was waiting for it starts now, with the events so far. */
  follow(privacy: Privacy): void {
    const changed = JSON.stringify(allowedBy(privacy)) !== JSON.stringify(this.consent);
    this.consent = allowedBy(privacy);
    if (changed) this.line?.tell('consent', forPixels(this.consent));
    void this.openIfAllowed();
  }

  private send(event: Envelope): void {
    if (this.started) this.line?.tell('event', event);
    else this.backlog.push(event);
  }

  private async openIfAllowed(): Promise<void> {
    const {pixel, init} = this.boot;
    if (this.opening || !pixel?.purposes.every((purpose) => this.consent[purpose])) return;
    this.opening = true;
    const config = {
      settings: pixel.settings,
      init: {context: context(), data: init, customerPrivacy: forPixels(this.consent)},
    };
    this.line = await openSandbox(document.body, {
      name: 'Web pixel',
      workerUrl: '/browser/pixel-worker.js',
      scriptUrl: pixel.scriptUrl,
      config,
      failed: (message) => document.documentElement.setAttribute('data-pixel', `failed: ${message}`),
      answers: {
        'started': () => this.release(),
        'cookie.get': (name) => readCookie(String(name)),
        'cookie.set': setCookie,
        ...storage('localStorage'),
        ...storage('sessionStorage'),
      },
    });
  }

  private release(): void {
    this.started = true;
    document.documentElement.setAttribute('data-pixel', 'started');
    for (const event of this.backlog.splice(0)) this.send(event);
  }
}
