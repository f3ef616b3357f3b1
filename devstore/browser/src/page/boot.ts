/** What the server wrote into the page for its scripts. */
import type {CheckoutState} from '../contract.ts';
import {reportGpc} from '../gpc.ts';
import type {Consent, Privacy} from '../privacy.ts';
import type {Translations} from '../worker/i18n.ts';

export interface ExtensionBoot {
  readonly scriptUrl: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly capabilities: readonly string[];
  /** What it declares to read: nothing else is told. */
  readonly metafields: readonly {readonly namespace: string; readonly key: string}[];
  readonly locale: string;
  /** The locale that the extension has texts for: the buyer's, or its default. */
  readonly extensionLocale: string;
  readonly country: string;
  readonly translations: Translations;
  readonly fallback: Translations;
  /** Whether this is the merchant's checkout editor. */
  readonly editor: boolean;
  /** What this checkout lets nobody change. */
  readonly locked: readonly string[];
  /** Whether the bundle runs in a worker of a sandboxed frame, as it does at Shopify. */
  readonly sandboxed: boolean;
}

export interface PixelBoot {
  readonly scriptUrl: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** The purposes without which the pixel does not run at all. */
  readonly purposes: readonly (keyof Consent)[];
}

export interface StandardEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface PageBoot {
  readonly privacy: Privacy;
  readonly pixel: PixelBoot | null;
  /** Customer, cart and shop as a pixel's `init.data` has them. */
  readonly init: Readonly<Record<string, unknown>>;
  readonly events: readonly StandardEvent[];
  readonly checkout?: {
    readonly state: CheckoutState;
    /** The same checkout as pixels see it. */
    readonly event: Readonly<Record<string, unknown>>;
    readonly extension: ExtensionBoot | null;
  };
}

/** Return what the server wrote; the page then has the visitor's browser, GPC and all. */
export function readBoot(): PageBoot {
  const element = document.getElementById('boot');
  if (!element?.textContent) throw new Error('the page carries no #boot data');
  const boot = JSON.parse(element.textContent) as PageBoot;
  reportGpc(boot.privacy.gpc);
  return boot;
}
