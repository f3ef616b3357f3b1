import type {ComponentChildren} from 'preact';

interface Props {
  image: ComponentChildren;
  button: ComponentChildren;
  children: ComponentChildren;
}

/** The frame that an offer and its skeleton share, so that one replaces the other without moving the page. */
export function Row({image, button, children}: Props) {
  return (
    <s-box border="base" borderRadius="base" padding="base">
      <s-grid gridTemplateColumns="auto 1fr auto" gap="base" alignItems="center">
        {image}
        <s-stack gap="small-500">{children}</s-stack>
        {button}
      </s-grid>
    </s-box>
  );
}
