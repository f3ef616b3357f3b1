/** What Shopify's own script does beside the Ajax API: it tells pixels of what a theme or an app adds with it. */
import type {Pixels} from './pixels.ts';

interface Item {
  readonly variant_id: number;
  readonly product_id: number;
  readonly title: string;
  readonly vendor: string;
  readonly product_type: string;
  readonly sku: string;
  readonly url: string;
  readonly image: string;
  readonly quantity: number;
  readonly final_price: number;
}

const ADD = /\/cart\/add\.js$/;

export function watchAjaxCart(pixels: Pixels, currencyCode: string): void {
  const plain = window.fetch.bind(window);
  window.fetch = async (input, init) => {
    const answer = await plain(input, init);
    if (answer.ok && ADD.test(new URL(answer.url).pathname)) {
      const {items} = (await answer.clone().json()) as {items: readonly Item[]};
      for (const item of items) pixels.publish('product_added_to_cart', {cartLine: cartLine(item, currencyCode)});
    }
    return answer;
  };
}

function cartLine(item: Item, currencyCode: string): object {
  const {quantity, final_price, title, vendor, url, sku} = item;
  const product = {id: String(item.product_id), title, untranslatedTitle: title, type: item.product_type, vendor, url};
  const price = {amount: final_price / 100, currencyCode};
  const named = {id: String(item.variant_id), title, untranslatedTitle: title, sku, price};
  return {
    quantity,
    cost: {totalAmount: {amount: (final_price * quantity) / 100, currencyCode}},
    merchandise: {...named, image: {src: item.image}, product},
  };
}
