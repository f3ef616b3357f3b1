import '@shopify/ui-extensions/preact';
import {render} from 'preact';
import {Offers} from './components/Offers.tsx';

export default function checkout() {
  render(<Offers host={shopify} cartApi={shopify} surface="checkout" />, document.body);
}
