import type {NoticeView} from '../model.ts';
import type {Speaker} from '../words.ts';
import type {Doing} from './Card.tsx';
import {Footer} from './Footer.tsx';
import {Own} from './Own.tsx';
import {Press} from './Press.tsx';
import {Row} from './Row.tsx';

interface Props {
  notice: NoticeView;
  boxed: boolean;
  say: Speaker['say'];
  doing: Doing;
}

/** A sentence of the shop's; a coupon's comes with how it is used, until when, and a button that applies it. */
export function Notice({notice, boxed, say, doing}: Props) {
  const {id, icon, details, button, dismissible} = notice;
  const text = say(notice.text);
  const dismiss = dismissible ? {key: 'button.dismiss_label', args: {title: text}} : undefined;
  const press = {accept: () => doing.take(id), undo: () => doing.giveBack(id), none: undefined};
  return (
    <Row
      boxed={boxed}
      start={<s-icon type={icon} size="large" tone={icon === 'check-circle' ? 'success' : 'neutral'} />}
      button={button && <Press button={button} say={say} onClick={press[button.action]} />}
      footer={(dismiss || details.length > 0) && <Footer lines={details} dismiss={dismiss} say={say} onDismiss={() => doing.dismiss(id)} />}
    >
      <s-stack accessibilityRole="status"><Own type={details.length ? 'strong' : 'generic'}>{text}</Own></s-stack>
    </Row>
  );
}
