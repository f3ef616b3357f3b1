import type {Scene} from './model.ts';
import type {Offer} from './offer.ts';
import type {I18n} from './words.ts';

const SAMPLE_PRICE = 12;
const TARGET_ABOVE = 1.25;

/** Return offers for the merchant's editor: as many products as the settings allow, a coupon, a bar. Of nobody's decision. */
export function sampleOffers(i18n: I18n, {settings, subtotal, currency}: Scene): Offer[] {
  const title = i18n.translate('sample.product');
  const products = Array.from({length: settings.max_offers}, (_, at): Offer => ({
    offer_id: `sample-${at}`,
    kind: 'upsell',
    product: {product_id: `sample-${at}`, variant_id: `sample-${at}`, title, price: SAMPLE_PRICE, currency},
    why: [{reason: 'bought_together'}],
  }));
  const target = Math.ceil((subtotal || SAMPLE_PRICE) * TARGET_ABOVE);
  return [
    {offer_id: 'sample-coupon', kind: 'coupon', discount: {code: 'SAMPLE10', percentage: 10, applies_to: 'order'}, why: []},
    {
      offer_id: 'sample-progress',
      kind: 'progress',
      progress: {current: subtotal, target, currency},
      message: {key: 'progress.free_shipping', args: {}},
      why: [],
    },
    ...products,
  ];
}

/** Stands in for the checkout in the editor: every change succeeds and nothing changes. */
export const SAMPLE_CART_API = {
  applyAttributeChange: async () => ({type: 'success' as const}),
  applyCartLinesChange: async () => ({type: 'success' as const}),
  applyDiscountCodeChange: async () => ({type: 'success' as const}),
};
