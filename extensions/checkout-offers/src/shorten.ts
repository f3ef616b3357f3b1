/** Keeps a merchant's titles within the frame of an offer, so that frames are alike. */

/** As many letters of a title as take two lines beside the thumbnail; wide letters count twice. */
export const TITLE_WIDTH = 36;
export const NAMED_WIDTH = 18;
/**
 * A word as long as this would push the button out of the frame, were there nowhere in it for a line to end. Letters
 * without capitals stand in short words, or in words without spaces, between which a browser ends lines by itself.
 * So it does between emoji, of which some are several signs.
 */
const LONG_WORD = /[^\s\p{Lo}\p{Emoji_Presentation}]{18,}/gu;
const PIECE = /\S{6}(?!\p{M})(?=\S{3})/gu;
const BREAK_HERE = '\u200b';

/** Return how many letters wide a text is. */
export function widthOf(text: string): number {
  return [...text].reduce((width, letter) => width + (isWide(letter) ? 2 : 1), 0);
}

/** Return the title, cut with an ellipsis where it is wider. */
export function shorten(title: string, width: number): string {
  let left = width;
  let kept = '';
  for (const letter of title) {
    left -= isWide(letter) ? 2 : 1;
    if (left < 0) return `${kept.trimEnd()}…`;
    kept += letter;
  }
  return kept;
}

/** Return the text with places in its long words where a line may end; a screen reader does not hear them. */
export function breakable(text: string): string {
  return text.replace(LONG_WORD, (word) => word.replace(PIECE, `$&${BREAK_HERE}`));
}

/** From here on Unicode has the scripts whose letters are as wide as they are high. */
function isWide(letter: string): boolean {
  return (letter.codePointAt(0) ?? 0) >= 0x2e80;
}
