interface Props {
  type: 'strong' | 'generic';
  children: string;
}

/** Words that find their own direction, and stand where the page's own begin: a paragraph's side is the page's. */
export function Own({type, children}: Props) {
  return (
    <s-paragraph>
      <s-text type={type} dir="auto">{children}</s-text>
    </s-paragraph>
  );
}
