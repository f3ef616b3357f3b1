/** Text: text, paragraph, heading, abbreviation, time, lists. */
import {define, setOrRemove, type HostElement} from './element.ts';

const TONES: Readonly<Record<string, string>> = {
  neutral: 'var(--muted)',
  info: 'var(--info)',
  success: 'var(--success)',
  warning: 'var(--warning)',
  critical: 'var(--critical)',
};

const TYPES: Readonly<Record<string, string>> = {
  strong: 'font-weight:600',
  emphasis: 'font-style:italic',
  small: 'font-size:12px',
  redundant: 'text-decoration:line-through',
  mark: 'background:#fff3c4',
  offset: 'color:var(--muted)',
  address: 'font-style:normal',
};

function words(element: HostElement): string {
  const type = element.text('type');
  setOrRemove(element, 'role', {strong: 'strong', emphasis: 'emphasis', redundant: 'deletion'}[type] ?? '');
  setOrRemove(element, 'aria-hidden', element.text('accessibilityVisibility') === 'hidden' && 'true');
  setOrRemove(element, 'dir', element.text('dir'));
  const unseen = element.text('accessibilityVisibility') === 'exclusive';
  const color = element.text('color') === 'subdued' ? 'var(--muted)' : TONES[element.text('tone')];
  const rules = [TYPES[type], color && `color:${color}`, unseen && UNSEEN, element.text('display') === 'none' && 'display:none'];
  return `:host{${rules.filter(Boolean).join(';')}}`;
}

const UNSEEN = 'position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%)';
const SLOT = '<slot></slot>';

/** A heading sits one level below the section that holds it. */
function heading(element: HostElement): string {
  let level = 2;
  for (let above = element.parentElement; above; above = above.parentElement) {
    if (above.localName === 's-section') level += 1;
  }
  const plain = ['presentation', 'none'].includes(element.text('accessibilityRole'));
  element.setAttribute('role', plain ? 'presentation' : 'heading');
  setOrRemove(element, 'aria-level', plain ? '' : String(level));
  return `:host{font-size:${level === 2 ? 18 : 15}px}`;
}

export function defineWords(): void {
  define('s-text', {css: ':host{display:inline}', markup: SLOT, update: words});
  define('s-paragraph', {css: ':host{display:block}', markup: SLOT, update: words});
  define('s-heading', {css: ':host{display:block;font-weight:600;line-height:1.3}', markup: SLOT, update: heading});
  define('s-abbreviation', {
    css: 'abbr{text-decoration-style:dotted}',
    markup: `<abbr data-part="abbr">${SLOT}</abbr>`,
    update: (element, part) => setOrRemove(part('abbr'), 'title', element.text('title')),
  });
  define('s-time', {
    css: '',
    markup: `<time data-part="time">${SLOT}</time>`,
    update: (element, part) => setOrRemove(part('time'), 'datetime', element.text('dateTime')),
  });
  const list = ':host{display:grid;gap:4px;padding-inline-start:20px}';
  const roleOf = (role: string) => (element: HostElement) => element.setAttribute('role', role);
  define('s-unordered-list', {css: `${list}:host{list-style:disc}`, markup: SLOT, update: roleOf('list')});
  define('s-ordered-list', {css: `${list}:host{list-style:decimal}`, markup: SLOT, update: roleOf('list')});
  define('s-list-item', {css: ':host{display:list-item}', markup: SLOT, update: roleOf('listitem')});
}
