/** What the script of every page lends the one that paints, so that a page loads it once. */
import {readCart} from './cart.ts';
import {keepNever, keepOnce, mayPart} from './kept.ts';
import {mayWatch} from './privacy.ts';
import {addToCart} from './take.ts';
import {tell} from './tell.ts';

export const TOOLS = {addToCart, keepNever, keepOnce, mayPart, mayWatch, readCart, tell};
export type Tools = typeof TOOLS;
