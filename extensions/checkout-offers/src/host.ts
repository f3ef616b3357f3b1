import type {CheckoutApi, StandardApi} from '@shopify/ui-extensions/checkout';

/** The checkout as an extension target sees it: signals, read through `.value` when they are needed. */
export type Host = Pick<
  StandardApi<'purchase.checkout.block.render'>,
  | 'analytics'
  | 'checkoutToken'
  | 'cost'
  | 'customerPrivacy'
  | 'i18n'
  | 'instructions'
  | 'lines'
  | 'localization'
  | 'sessionToken'
  | 'settings'
  | 'shop'
> &
  Partial<Pick<StandardApi<'purchase.checkout.block.render'>, 'applyTrackingConsentChange'>> & {
    extension: {rendered: {value: boolean}};
  };

/** What a checkout can change and a placed order cannot. */
export type Till = Pick<CheckoutApi, 'applyCartLinesChange' | 'applyDiscountCodeChange'>;
