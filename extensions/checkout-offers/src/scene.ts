import {instructionsOf, isCompany, isEditor, type Host, type Line} from './host.ts';
import type {Scene} from './model.ts';
import {NO_PRICES} from './prices.ts';
import type {CartTitles} from './reason.ts';
import {readSettings} from './settings.ts';
import type {Surface} from './surface.ts';

/** Return what the host allows and knows now. */
export function scene(host: Host, surface: Surface, now: number, prices = NO_PRICES): Scene {
  const {lines, discounts} = instructionsOf(host);
  const {amount, currencyCode} = host.cost.subtotalAmount.value;
  const codes = discounts?.canUpdateDiscountCodes === true;
  const preview = isEditor(host);
  return {
    surface,
    settings: readSettings(host.settings.value),
    can: {
      add: lines?.canAddCartLine === true,
      remove: lines?.canRemoveCartLine === true,
      codes,
      discount: codes && !isSubscription(host.lines.value),
    },
    cartTitles: cartTitles(host.lines.value),
    inCart: new Set(host.lines.value.map(({merchandise}) => merchandise.id)),
    codes: new Set(host.discountCodes.value.map(({code}) => code.toUpperCase())),
    subtotal: amount,
    shipping: preview ? undefined : host.cost.totalShippingAmount?.value?.amount,
    currency: currencyCode,
    ownPrices: isCompany(host),
    prices,
    storefrontUrl: host.shop.storefrontUrl,
    now,
    preview,
  };
}

/** Return whether all there is comes again and again: the app's codes are for what is bought once, as Shopify has it unless told. */
function isSubscription(lines: readonly Line[]): boolean {
  return lines.length > 0 && lines.every(({merchandise}) => merchandise.sellingPlan?.recurringDeliveries);
}

/** Return the products' titles; a line may be titled by its variant alone, and “bought with Small” says nothing. */
export function cartTitles(lines: readonly Line[]): CartTitles {
  const named = lines.filter(({merchandise}) => merchandise.title !== variantLabel(merchandise));
  return Object.fromEntries(named.map(({merchandise}) => [merchandise.product.id, merchandise.title]));
}

function variantLabel({selectedOptions}: Line['merchandise']): string {
  return selectedOptions.map(({value}) => value).join(' / ');
}
