/** Layout: stack, grid, box, section, divider. They style themselves and show their children. */
import {define, setOrRemove, type HostElement} from './element.ts';
import {background, border, borderWidth, declaration, keep, radius, space} from './scale.ts';

const CSS_OF: Readonly<Record<string, readonly [property: string, translate: (value: string) => string]>> = {
  background: ['background', background],
  display: ['display', (value) => (value === 'auto' ? '' : value)],
  overflow: ['overflow', keep],
  blockSize: ['block-size', keep],
  inlineSize: ['inline-size', keep],
  minBlockSize: ['min-block-size', keep],
  minInlineSize: ['min-inline-size', keep],
  maxBlockSize: ['max-block-size', keep],
  maxInlineSize: ['max-inline-size', keep],
  padding: ['padding', space],
  paddingBlock: ['padding-block', space],
  paddingBlockStart: ['padding-block-start', space],
  paddingBlockEnd: ['padding-block-end', space],
  paddingInline: ['padding-inline', space],
  paddingInlineStart: ['padding-inline-start', space],
  paddingInlineEnd: ['padding-inline-end', space],
  border: ['border', border],
  borderWidth: ['border-width', borderWidth],
  borderStyle: ['border-style', keep],
  borderRadius: ['border-radius', radius],
  gap: ['gap', space],
  rowGap: ['row-gap', space],
  columnGap: ['column-gap', space],
  direction: ['flex-direction', (value) => (value === 'inline' ? 'row' : 'column')],
  alignContent: ['align-content', keep],
  alignItems: ['align-items', keep],
  justifyContent: ['justify-content', keep],
  justifyItems: ['justify-items', keep],
  placeContent: ['place-content', keep],
  placeItems: ['place-items', keep],
  gridTemplateColumns: ['grid-template-columns', keep],
  gridTemplateRows: ['grid-template-rows', keep],
  gridColumn: ['grid-column', keep],
  gridRow: ['grid-row', keep],
};

const ROLES: Readonly<Record<string, string>> = {
  'aside': 'complementary',
  'footer': 'contentinfo',
  'header': 'banner',
  'section': 'region',
  'ordered-list': 'list',
  'unordered-list': 'list',
  'list-item': 'listitem',
  'list-item-separator': 'separator',
  'generic': '',
};

/** Return the CSS of every layout property that is set. */
export function boxStyles(element: HostElement): string {
  return Object.entries(CSS_OF)
    .filter(([name]) => element.text(name) !== '')
    .map(([name, [property, translate]]) => declaration(property, element.text(name), translate))
    .join('');
}

function box(element: HostElement): string {
  const role = element.text('accessibilityRole');
  setOrRemove(element, 'role', ROLES[role] ?? role);
  setOrRemove(element, 'aria-label', element.text('accessibilityLabel'));
  setOrRemove(element, 'aria-hidden', element.text('accessibilityVisibility') === 'hidden' && 'true');
  return boxStyles(element);
}

/** An inline stack wraps; a block stack is one column. */
function stack(element: HostElement): string {
  const inline = element.text('direction') === 'inline';
  return (inline ? ':host{flex-wrap:wrap}' : '') + box(element);
}

const SLOT = '<slot></slot>';
const shown = (display: string): string => `:host{display:${display};min-inline-size:0}`;

export function defineBoxes(): void {
  define('s-stack', {css: shown('flex') + ':host{flex-direction:column}', markup: SLOT, update: stack});
  define('s-grid', {css: shown('grid'), markup: SLOT, update: box});
  define('s-grid-item', {css: shown('block'), markup: SLOT, update: box});
  define('s-box', {css: shown('block'), markup: SLOT, update: box});
  define('s-scroll-box', {css: shown('block') + ':host{overflow:auto}', markup: SLOT, update: box});
  define('s-query-container', {
    css: ':host{display:block;container-type:inline-size}',
    markup: SLOT,
    update: (element) => (element.text('containerName') ? `:host{container-name:${element.text('containerName')}}` : ''),
  });
  define('s-divider', {
    css: ':host{display:block;align-self:stretch;border:0 solid var(--line)}',
    markup: '',
    update(element) {
      element.setAttribute('role', 'separator');
      const side = element.text('direction') === 'block' ? 'inline-start' : 'block-start';
      return `:host{border-${side}-width:1px}`;
    },
  });
  define('s-section', {
    css: ':host{display:block}section{display:grid;gap:12px}h2{font-size:18px;line-height:1.3;font-weight:600;margin:0}h2:empty{display:none}',
    markup: '<section data-part="section"><h2 data-part="heading"></h2><slot></slot></section>',
    update(element, part) {
      part('heading').textContent = element.text('heading');
      setOrRemove(part('section'), 'aria-label', element.text('accessibilityLabel') || element.text('heading'));
    },
  });
}
