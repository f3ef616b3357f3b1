/** The least that a checkout extension on Preact can do: one word, no question. What ours costs beyond it is ours. */
import '@shopify/ui-extensions/preact';
import {render} from 'preact';

const TARGETS = [
  'purchase.checkout.block.render',
  'purchase.checkout.cart-line-list.render-after',
  'purchase.thank-you.block.render',
  'customer-account.order-status.block.render',
];

for (const target of TARGETS) shopify.extend(target, () => render(<s-text>Empty</s-text>, document.body));
