/** Return an element with a class, words, and what is in it. Words that are not told make no element. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  name: string,
  words?: string | null,
  ...inside: (HTMLElement | null)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  made.className = `tillwise-${name}`;
  if (words) made.textContent = words;
  made.append(...inside.filter((each) => each !== null));
  return made;
}

/** Titles and the merchant's words have a direction of their own. */
export function text(name: string, words: string | undefined): HTMLElement | null {
  if (!words) return null;
  const made = element('p', name, words);
  made.dir = 'auto';
  return made;
}

export function button(name: string, words: string, label: string, press: () => void): HTMLButtonElement {
  const made = element('button', name, words);
  made.type = 'button';
  made.ariaLabel = label;
  made.addEventListener('click', press);
  return made;
}
