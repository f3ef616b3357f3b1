import type {Host} from './host.ts';
import type {Discount} from './offer.ts';
import {GRANT} from './question.ts';

/** Return the grant that the cart has, whoever gave it: the storefront, another block, this one before a reload. */
export function grantOf({attributes}: Host): string | undefined {
  return attributes.value?.find(({key}) => key === GRANT)?.value;
}

/**
 * Return whether a discount without a code can be said to be taken off. Beside a code it is only where Shopify lets the
 * two stand together, which what is taken off shows; of shipping a block is not told.
 */
export function isTakenOff({discountAllocations, discountCodes, lines}: Host, {applies_to}: Discount): boolean {
  if (!discountCodes.value.length || applies_to === 'shipping') return true;
  const all = [...discountAllocations.value, ...lines.value.flatMap((line) => line.discountAllocations)];
  return all.some(({type}) => type !== 'code');
}
