/** The columns of a checkout on a desktop are wider than this, a phone is narrower: there the button goes below. */
export const WIDE = '@container (inline-size > 400px)';

/** Return the least height of a frame. What fills a box is as high as an offer with a long title and reason. */
export function boxHeight(boxed: boolean): '0' | `@container${string}` {
  return boxed ? `${WIDE} 128px, 196px` : '0';
}
