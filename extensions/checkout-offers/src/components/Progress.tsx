import type {ProgressView} from '../model.ts';
import type {Speaker} from '../words.ts';
import {boxHeight} from './frame.ts';

interface Props {
  card: ProgressView;
  boxed: boolean;
  say: Speaker['say'];
}

/** How far the cart is, in words and as a bar. */
export function Progress({card, boxed, say}: Props) {
  return (
    <s-grid border="base" borderRadius="base" padding="base" gap="small-200" alignContent="center" minBlockSize={boxHeight(boxed)}>
      <s-stack accessibilityRole="status"><s-text dir="auto">{say(card.text)}</s-text></s-stack>
      <s-progress value={card.value} max={card.max} accessibilityLabel={say(card.label)} />
    </s-grid>
  );
}
