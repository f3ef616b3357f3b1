import type {ProductView} from '../model.ts';
import {nameOf} from '../offer.ts';
import type {Offers} from '../useOffers.ts';
import type {Speaker} from '../words.ts';
import {Footer} from './Footer.tsx';
import {Own} from './Own.tsx';
import {Press} from './Press.tsx';
import {Row} from './Row.tsx';

export type Doing = Pick<Offers, 'take' | 'giveBack' | 'dismiss'>;

interface Props {
  card: ProductView;
  speaker: Speaker;
  doing: Doing;
}

/** As high as a price, which may come later than the rest. */
const LINE = '21px';

/** A product, its price, why it is here, and the one thing to do about it. */
export function Card({card, speaker: {say, sayPrice}, doing}: Props) {
  const {id, product, title, price, unit, line, button, dismiss} = card;
  const press = {accept: () => doing.take(id), undo: () => doing.giveBack(id), none: undefined};
  return (
    <Row
      boxed
      start={<s-product-thumbnail src={product.image} alt={nameOf(product)} />}
      button={button && <Press button={button} say={say} onClick={press[button.action]} />}
      footer={<Footer lines={line ? [line] : []} dismiss={dismiss} say={say} onDismiss={() => doing.dismiss(id)} />}
    >
      <Own type="strong">{title}</Own>
      <s-box minBlockSize={LINE}>{price !== undefined && <s-text>{sayPrice(price, unit)}</s-text>}</s-box>
    </Row>
  );
}
