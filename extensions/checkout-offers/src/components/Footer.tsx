import type {Line} from '../model.ts';
import type {Speaker, Words} from '../words.ts';

interface Props {
  line?: Line;
  dismiss?: Words;
  say: Speaker['say'];
  onDismiss: () => void;
}

/** The reason, until there is news of the offer to give in its place; opposite, the way to be rid of it. */
export function Footer({line, dismiss, say, onDismiss}: Props) {
  return (
    <s-grid gridTemplateColumns="1fr auto" gap="base" alignItems="center" minBlockSize="20px">
      <s-stack accessibilityRole="status">{line && <FooterLine line={line} say={say} />}</s-stack>
      {dismiss && (
        <s-link tone="neutral" accessibilityLabel={say(dismiss)} onClick={onDismiss}>
          <s-text type="small">{say({key: 'button.dismiss'})}</s-text>
        </s-link>
      )}
    </s-grid>
  );
}

export function FooterLine({line, say}: {line: Line; say: Speaker['say']}) {
  if (line.tone === 'neutral') return <s-text type="small" color="subdued">{say(line.text)}</s-text>;
  return <s-text type="small" tone={line.tone}>{say(line.text)}</s-text>;
}
