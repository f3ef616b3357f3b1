import type {Host} from './host.ts';
import type {Scene, Surface} from './model.ts';
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
    cartTitles: Object.fromEntries(host.lines.value.map(({merchandise}) => [merchandise.product.id, merchandise.title])),
    storefrontUrl: host.shop.storefrontUrl,
  };
}
