import type {Words} from '../words.ts';
import {Row} from './Row.tsx';

interface Props {
  heading: string;
  rows: number;
  reason: boolean;
  say: (words: Words) => string;
}

/** As many rows as there may be offers, each the size of one. */
export function Skeleton({heading, rows, reason, say}: Props) {
  const button = (
    <s-button variant="secondary" disabled>
      {say({key: 'button.add'})}
    </s-button>
  );
  return (
    <s-stack gap="base" accessibilityLabel={say({key: 'status.loading'})}>
      <s-heading>{heading}</s-heading>
      {Array.from({length: rows}, (_, row) => (
        <Row key={row} image={<s-product-thumbnail alt="" />} button={button}>
          <s-skeleton-paragraph content={say({key: 'skeleton.title'})} />
          <s-skeleton-paragraph content={say({key: 'skeleton.price'})} />
          {reason && <s-skeleton-paragraph content={say({key: 'skeleton.reason'})} />}
        </Row>
      ))}
    </s-stack>
  );
}
