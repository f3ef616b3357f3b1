import type {Button} from '../model.ts';
import type {Speaker} from '../words.ts';

interface Props {
  button: Button;
  say: Speaker['say'];
  onClick?: () => void;
}

/** An offer's button: as wide as its words beside them, as wide as the frame below them. */
export function Press({button, say, onClick}: Props) {
  return (
    <s-button
      variant={button.variant}
      inlineSize="fill"
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
