import type {CartLine} from '@shopify/ui-extensions/checkout';
import type {Host} from './host.ts';
import type {Scene, Surface} from './model.ts';
import type {CartTitles} from './reason.ts';
import {readSettings} from './settings.ts';

/** Return what the host allows and knows now. */
export function scene(host: Host, surface: Surface): Scene {
  const {lines, discounts} = host.instructions.value;
  return {
    surface,
    settings: readSettings(host.settings.value),
    can: {
      add: lines.canAddCartLine,
      remove: lines.canRemoveCartLine,
      discount: discounts.canUpdateDiscountCodes,
    },
    cartTitles: cartTitles(host.lines.value),
    currency: host.cost.subtotalAmount.value.currencyCode,
    storefrontUrl: host.shop.storefrontUrl,
  };
}

/** Return the products' titles; a line may be titled by its variant alone, and “bought with Small” says nothing. */
export function cartTitles(lines: readonly CartLine[]): CartTitles {
  const named = lines.filter(({merchandise}) => merchandise.title !== variantLabel(merchandise));
  return Object.fromEntries(named.map(({merchandise}) => [merchandise.product.id, merchandise.title]));
}

function variantLabel({selectedOptions}: CartLine['merchandise']): string {
  return selectedOptions.map(({value}) => value).join(' / ');
}
