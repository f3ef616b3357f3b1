import type {ComponentChildren} from 'preact';
import {boxHeight, WIDE} from './frame.ts';

interface Props {
  /** What stands before the words: a thumbnail, an icon. */
  start: ComponentChildren;
  button: ComponentChildren;
  footer?: ComponentChildren;
  /** Whether the frame is as high as every other, whatever stands in it. */
  boxed: boolean;
  children: ComponentChildren;
}

/** The frame of every offer and of its skeleton, so that one replaces the other without moving the page. */
export function Row({start, button, footer, boxed, children}: Props) {
  return (
    <s-grid border="base" borderRadius="base" padding="base" gap="small-200" alignContent="center" minBlockSize={boxHeight(boxed)}>
      <s-grid gridTemplateColumns={`${WIDE} 1fr auto, 1fr`} gap="small-100" alignItems="center">
        <s-grid gridTemplateColumns="auto 1fr" gap="base" alignItems="center">
          {start}
          <s-stack gap="small-500">{children}</s-stack>
        </s-grid>
        {button}
      </s-grid>
      {footer}
    </s-grid>
  );
}
