import '@shopify/ui-extensions/preact';
import {render} from 'preact';
import {Offers} from './components/Offers.tsx';

/** In the customer's account, where the order is long placed. */
export default function orderStatus() {
  render(<Offers host={shopify} surface="order_status" />, document.body);
}
