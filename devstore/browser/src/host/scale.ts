/** Shopify's size keywords as CSS, and the responsive form `@container (…) a, b`. */

const SPACE: Readonly<Record<string, string>> = {
  'none': '0',
  'small-500': '2px',
  'small-400': '4px',
  'small-300': '6px',
  'small-200': '8px',
  'small-100': '12px',
  'small': '12px',
  'base': '16px',
  'large': '20px',
  'large-100': '20px',
  'large-200': '24px',
  'large-300': '32px',
  'large-400': '40px',
  'large-500': '48px',
};

const RADIUS: Readonly<Record<string, string>> = {
  'none': '0',
  'small-100': '4px',
  'small': '4px',
  'base': '8px',
  'large': '12px',
  'large-100': '12px',
  'max': '999px',
};

const BORDER_WIDTH: Readonly<Record<string, string>> = {
  'none': '0',
  'base': '1px',
  'large': '2px',
  'large-100': '3px',
  'large-200': '5px',
};

type Translate = (value: string) => string;

const each = (table: Readonly<Record<string, string>>): Translate => (value) =>
  value
    .split(/\s+/)
    .map((word) => table[word] ?? word)
    .join(' ');

export const space = each(SPACE);
export const radius = each(RADIUS);
export const borderWidth = each(BORDER_WIDTH);
export const keep: Translate = (value) => value;

/** Return the value of a `border` shorthand: a size, then a colour, then a style. */
export function border(value: string): string {
  const [size = 'none', , style = 'solid'] = value.split(/\s+/);
  return `${borderWidth(size)} ${style === 'auto' ? 'solid' : style} var(--line)`;
}

export function background(value: string): string {
  return {base: 'var(--paper)', subdued: 'var(--subdued)', strong: 'var(--strong)'}[value] ?? 'transparent';
}

/** Return the CSS that sets a property on the element itself, container queries included. */
export function declaration(property: string, value: string, translate: Translate): string {
  const query = /^@container(?:\s+(?<name>[\w-]+))?\s*(?<condition>\(.+?\))\s+(?<then>[^,]+),\s*(?<otherwise>.+)$/.exec(value.trim());
  if (!query?.groups) return `:host{${property}:${translate(value)}}`;
  const {name = '', condition = '', then = '', otherwise = ''} = query.groups;
  return `:host{${property}:${translate(otherwise)}}@container ${name} ${condition}{:host{${property}:${translate(then)}}}`;
}
