import type {Offer} from '../answer.ts';
import type {NoticeView} from '../model.ts';
import type {Words} from '../words.ts';

interface Props {
  notice: NoticeView;
  say: (words: Words) => string;
  onTake: (offer: Offer) => void;
}

/** A sentence in a banner; a coupon's comes with a button that applies it. */
export function Notice({notice, say, onTake}: Props) {
  const {button} = notice;
  return (
    <s-banner tone={notice.tone}>
      <s-stack gap="small-200">
        <s-text>{say(notice.text)}</s-text>
        {button && (
          <s-button
            variant={button.variant}
            loading={button.loading}
            accessibilityLabel={say(button.label)}
            onClick={() => onTake(notice.offer)}
          >
            {say(button.text)}
          </s-button>
        )}
      </s-stack>
    </s-banner>
  );
}
