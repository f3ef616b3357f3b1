import type {Line} from '../model.ts';
import type {Speaker, Words} from '../words.ts';

interface Props {
  lines: readonly Line[];
  dismiss?: Words;
  say: Speaker['say'];
  onDismiss: () => void;
}

/** News of the offer, and what there is to know of it; opposite, the way to be rid of it. News alone is said aloud: the rest changes by itself. */
export function Footer({lines, dismiss, say, onDismiss}: Props) {
  const made = (isNews: boolean) =>
    lines.filter(({tone}) => isNews === (tone !== 'neutral')).map((line) => <FooterLine key={say(line.text)} line={line} say={say} />);
  return (
    <s-grid gridTemplateColumns="1fr auto" gap="base" alignItems="center" minBlockSize="20px">
      <s-stack>
        <s-stack accessibilityRole="status">{made(true)}</s-stack>
        {made(false)}
      </s-stack>
      {dismiss && (
        <s-text type="small">
          <s-link tone="neutral" accessibilityLabel={say(dismiss)} onClick={onDismiss}>{say({key: 'button.dismiss'})}</s-link>
        </s-text>
      )}
    </s-grid>
  );
}

function FooterLine({line, say}: {line: Line; say: Speaker['say']}) {
  if (line.tone === 'neutral') return <s-text type="small" color="subdued" dir={'key' in line.text ? undefined : 'auto'}>{say(line.text)}</s-text>;
  return <s-text type="small" tone={line.tone}>{say(line.text)}</s-text>;
}
