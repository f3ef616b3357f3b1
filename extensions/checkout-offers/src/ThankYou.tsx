import '@shopify/ui-extensions/preact';
import {render} from 'preact';
import {Offers} from './components/Offers.tsx';

/** The order is placed, so the cart can no longer be changed. */
export default function thankYou() {
  render(<Offers host={shopify} surface="thank_you" />, document.body);
}
