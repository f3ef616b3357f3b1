import type {Offer} from '../answer.ts';
import type {Button, Line, ProductView} from '../model.ts';
import type {Words} from '../words.ts';
import {Row} from './Row.tsx';

interface Props {
  card: ProductView;
  say: (words: Words) => string;
  sayMoney: (amount: number) => string;
  onTake: (offer: Offer) => void;
  onGiveBack: (offer: Offer) => void;
}

/** A product, its price, why it is here, and the one thing to do about it. */
export function Card({card, say, sayMoney, onTake, onGiveBack}: Props) {
  const {offer, product, price, badge, line, button} = card;
  const press = {accept: () => onTake(offer), undo: () => onGiveBack(offer), none: undefined};
  return (
    <Row
      image={<s-product-thumbnail src={product.image} alt={product.title} />}
      button={button && <CardButton button={button} say={say} onClick={press[button.action]} />}
    >
      <s-text type="strong">{product.title}</s-text>
      <s-stack direction="inline" gap="small-200" alignItems="center">
        {price !== undefined && <s-text>{sayMoney(price)}</s-text>}
        {badge && <s-badge>{say(badge)}</s-badge>}
      </s-stack>
      {line && <CardLine line={line} say={say} />}
    </Row>
  );
}

/** The reason, until there is news of the offer to give in its place. */
function CardLine({line, say}: {line: Line; say: Props['say']}) {
  if (line.tone === 'neutral') return <s-text color="subdued">{say(line.text)}</s-text>;
  return (
    <s-stack accessibilityRole={line.tone === 'critical' ? 'alert' : 'status'}>
      <s-text tone={line.tone}>{say(line.text)}</s-text>
    </s-stack>
  );
}

function CardButton({button, say, onClick}: {button: Button; say: Props['say']; onClick?: () => void}) {
  return (
    <s-button
      variant={button.variant}
      loading={button.loading}
      disabled={button.disabled}
      accessibilityLabel={say(button.label)}
      href={button.href}
      onClick={onClick}
    >
      {say(button.text)}
    </s-button>
  );
}
