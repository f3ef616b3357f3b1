/** The script of products, loaded where some are offered: what they cost here, and how they come into the cart. */
export {priced} from './prices.ts';
export {addToCart} from './addToCart.ts';
