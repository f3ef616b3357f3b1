/** Runs the checkout extension in each place of the page that is marked with a target. */
import type {Handlers, Line} from '../calls.ts';
import type {CheckoutState} from '../contract.ts';
import type {Privacy} from '../privacy.ts';
import type {ExtensionConfig} from '../worker/shopify.ts';
import type {ExtensionBoot} from './boot.ts';
import {openSandbox} from './sandbox.ts';

interface Stored {
  readonly key: string;
  readonly value: unknown;
}

function storageOf(extension: string): Handlers {
  const named = (key: unknown): string => `${extension}:${String(key)}`;
  return {
    'storage.read': (key) => JSON.parse(localStorage.getItem(named(key)) ?? 'null'),
    'storage.write': (entry) => {
      const {key, value} = entry as Stored;
      localStorage.setItem(named(key), JSON.stringify(value));
    },
    'storage.delete': (key) => localStorage.removeItem(named(key)),
  };
}

export class Extensions {
  private readonly lines: Line[] = [];

  constructor(
    private readonly boot: ExtensionBoot,
    private readonly answers: Handlers,
  ) {}

  async openAll(state: CheckoutState, privacy: Privacy): Promise<void> {
    const places = [...document.querySelectorAll<HTMLElement>('[data-extension-target]')];
    await Promise.all(places.map((place) => this.open(place, state, privacy)));
  }

  tell(news: 'state' | 'privacy', value: unknown): void {
    const told = news === 'state' ? this.declared(value as CheckoutState) : value;
    for (const line of this.lines) line.tell(news, told);
  }

  /** Return the checkout with no other metafields than the extension declares. */
  private declared(state: CheckoutState): CheckoutState {
    const isDeclared = (own: {namespace: string; key: string}) =>
      this.boot.metafields.some(({namespace, key}) => namespace === own.namespace && key === own.key);
    return {...state, appMetafields: state.appMetafields.filter(({metafield}) => isDeclared(metafield))};
  }

  private async open(place: HTMLElement, state: CheckoutState, privacy: Privacy): Promise<void> {
    const target = place.dataset['extensionTarget'] ?? '';
    const {sandboxed, metafields: _, ...boot} = this.boot;
    const config: ExtensionConfig = {...boot, target, state: this.declared(state), privacy};
    const failed = (message: string): void => place.setAttribute('data-failed', message);
    const line = await openSandbox(place, {
      name: place.dataset['extensionName'] ?? 'App extension',
      workerUrl: '/browser/extension-worker.js',
      scriptUrl: this.boot.scriptUrl,
      config,
      sandboxed,
      failed,
      answers: {...storageOf(target), ...this.answers},
    });
    this.lines.push(line);
  }
}

