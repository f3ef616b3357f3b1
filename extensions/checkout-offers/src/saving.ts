import type {Discount} from './offer.ts';
import type {Words} from './words.ts';

/** Return what a discount takes off, to be said as `saving`: a percentage or an amount; undefined where it is not told. */
export function savingOf({percentage, amount}: Discount): Pick<Words, 'percent' | 'money'> | undefined {
  if (percentage) return {percent: {saving: percentage}};
  return amount && {money: {saving: amount}};
}

/** Return the sentence that says what is saved, and on what. */
export function savingWords(discount: Discount): Words {
  if (discount.applies_to === 'shipping' && discount.percentage === 100) return {key: 'coupon.free_shipping'};
  const saved = savingOf(discount);
  return saved ? {key: `coupon.save_${discount.applies_to}`, ...saved} : {key: 'coupon.yours'};
}
