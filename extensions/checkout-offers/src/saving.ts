import type {Discount} from './offer.ts';
import type {Words} from './words.ts';

/** Return the sentence that says what is saved, and on what. */
export function savingWords({percentage, amount, applies_to}: Discount): Words {
  if (applies_to === 'shipping' && percentage === 100) return {key: 'coupon.free_shipping'};
  const key = `coupon.save_${applies_to}`;
  if (percentage) return {key, percent: {saving: percentage}};
  return amount ? {key, money: {saving: amount}} : {key: 'coupon.yours'};
}
