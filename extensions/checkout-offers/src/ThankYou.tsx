import '@shopify/ui-extensions/preact';
import {render} from 'preact';
import {Offers} from './components/Offers.tsx';

/** The order is placed, so there is no till here. */
export default function thankYou() {
  render(<Offers host={shopify} surface="thank_you" />, document.body);
}
