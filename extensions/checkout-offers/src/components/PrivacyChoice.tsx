import type {PrivacyPhase} from '../privacy.ts';
import type {PrivacyChoice as Choice} from '../usePrivacyChoice.ts';
import type {Speaker} from '../words.ts';

interface Props extends Choice {
  say: Speaker['say'];
}

/** One question and two answers, neither easier to give than the other. */
export function PrivacyChoice({phase, answer, say}: Props) {
  return (
    <s-box border="base" borderRadius="base" padding="base" accessibilityRole="section" accessibilityLabel={say({key: 'privacy.label'})}>
      <s-stack gap="base">
        <s-text>{say({key: 'privacy.question'})}</s-text>
        {phase === 'failed' && (
          <s-stack accessibilityRole="alert">
            <s-text tone="critical">{say({key: 'privacy.failed'})}</s-text>
          </s-stack>
        )}
        <s-grid gridTemplateColumns="1fr 1fr" gap="base">
          <Answer text={say({key: 'privacy.decline'})} pressed="declining" phase={phase} onClick={() => answer(false)} />
          <Answer text={say({key: 'privacy.allow'})} pressed="allowing" phase={phase} onClick={() => answer(true)} />
        </s-grid>
      </s-stack>
    </s-box>
  );
}

interface AnswerProps {
  text: string;
  /** The phase in which this answer is being saved. */
  pressed: PrivacyPhase;
  phase: PrivacyPhase;
  onClick: () => void;
}

function Answer({text, pressed, phase, onClick}: AnswerProps) {
  const saving = phase === 'allowing' || phase === 'declining';
  return (
    <s-button variant="secondary" inlineSize="fill" loading={phase === pressed} disabled={saving && phase !== pressed} onClick={onClick}>
      {text}
    </s-button>
  );
}
