import type {Speaker} from '../words.ts';
import {Row} from './Row.tsx';

interface Props {
  heading: string;
  rows: number;
  reason: boolean;
  say: Speaker['say'];
}

/** As many rows as there may be offers, each the size of one. */
export function Skeleton({heading, rows, reason, say}: Props) {
  const button = <s-button variant="secondary" inlineSize="fill" disabled>{say({key: 'button.add'})}</s-button>;
  return (
    <s-stack gap="small-100" accessibilityRole="status" accessibilityLabel={say({key: 'status.loading'})}>
      <s-heading>{heading}</s-heading>
      {Array.from({length: rows}, (_, row) => (
        <Row
          key={row}
          boxed
          start={<s-product-thumbnail alt="" />}
          button={button}
          footer={reason && <s-skeleton-paragraph content={say({key: 'skeleton.reason'})} />}
        >
          <s-skeleton-paragraph content={say({key: 'skeleton.title'})} />
          <s-skeleton-paragraph content={say({key: 'skeleton.price'})} />
        </Row>
      ))}
    </s-stack>
  );
}
