import {number, text} from './parse.ts';

/** What the merchant chose in the checkout editor, with the defaults of what was left empty. */
export interface Settings {
  /** Undefined: the extension's own, translated. */
  heading?: string;
  max_offers: number;
  show_products: boolean;
  /** Coupons, banners, messages and progress. */
  show_messages: boolean;
  show_reason: boolean;
  show_dismiss: boolean;
  /** Whether to put Shopify's privacy choice before a buyer who has not answered it. */
  ask_privacy: boolean;
}

export const DEFAULT_MAX_OFFERS = 1;
export const MOST_OFFERS = 3;

/** Return the settings; an unset key may be missing altogether. */
export function readSettings(raw: Record<string, unknown> | undefined): Settings {
  const {heading, max_offers, show_products, show_messages, show_reason, show_dismiss, ask_privacy} = {...raw};
  return {
    heading: text(heading),
    max_offers: Math.min(Math.max(Math.trunc(number(max_offers) ?? DEFAULT_MAX_OFFERS), 1), MOST_OFFERS),
    show_products: show_products !== false,
    show_messages: show_messages !== false,
    show_reason: show_reason !== false,
    show_dismiss: show_dismiss !== false,
    ask_privacy: ask_privacy === true,
  };
}
