/** What the theme's Liquid wrote into the page: where it is, in which language, and the words for it. */

export interface Page {
  locale: string;
  country: string;
  /** The company that the shopper buys for, which has prices of its own. */
  company: number | null;
  product_id: number | null;
  /** Whether anything is in it, and which browser it says it is of: empty where it says none. */
  cart: {filled: boolean; browser: string};
  routes: {root: string; cart: string; cart_add: string; cart_update: string};
  /** Where the merchant moved the app's proxy to, empty where it is as the app has it. */
  proxy: string;
  /** The theme editor: Liquid shows samples, nobody is asked and nothing counted. */
  design: boolean;
  words: Record<string, string>;
  /** The address of the script that paints offers. */
  painter: string;
  /** The address of the script of products. */
  products: string;
}

/** Return the page, undefined where neither block of the extension is in it. */
export function readPage(): Page | undefined {
  const written = document.querySelector('[data-tillwise-page]')?.textContent;
  return written ? (JSON.parse(written) as Page) : undefined;
}
