import '@shopify/ui-extensions/preact';
import {render} from 'preact';
import {Offers} from './components/Offers.tsx';

/** Below the order summary's lines. */
export default function cartLines() {
  render(<Offers host={shopify} cartApi={shopify} surface="checkout_lines" />, document.body);
}
