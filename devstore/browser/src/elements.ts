/** The `s-*` elements this host draws: the properties and events Shopify's types give each. */

export type Kind = 'string' | 'boolean' | 'number';

export interface ElementDefinition {
  readonly properties: Readonly<Record<string, Kind>>;
  readonly events: readonly string[];
}

const words = (list: string): Record<string, Kind> => kinds(list, 'string');
const flags = (list: string): Record<string, Kind> => kinds(list, 'boolean');
const numbers = (list: string): Record<string, Kind> => kinds(list, 'number');

function kinds(list: string, kind: Kind): Record<string, Kind> {
  return Object.fromEntries(list.split(' ').map((name) => [name, kind]));
}

function element(properties: Record<string, Kind>, events: readonly string[] = []): ElementDefinition {
  return {properties: {id: 'string', ...properties}, events};
}

const BORDER = words('border borderColor borderRadius borderStyle borderWidth');
const BOX = {
  ...words('accessibilityLabel accessibilityRole accessibilityVisibility background display overflow'),
  ...words('blockSize inlineSize minBlockSize minInlineSize maxBlockSize maxInlineSize'),
  ...words('padding paddingBlock paddingBlockStart paddingBlockEnd paddingInline paddingInlineStart paddingInlineEnd'),
  ...BORDER,
};
const GAPS = words('gap columnGap rowGap');
const COMMAND = words('command commandFor interestFor');
const TEXT = words('accessibilityVisibility color dir display lang tone type');

export const ELEMENTS: Readonly<Record<string, ElementDefinition>> = {
  's-stack': element({...BOX, ...GAPS, ...words('direction alignContent alignItems justifyContent')}),
  's-grid': element({
    ...BOX,
    ...GAPS,
    ...words('gridTemplateColumns gridTemplateRows alignContent alignItems justifyContent justifyItems'),
    ...words('placeContent placeItems'),
  }),
  's-grid-item': element({...BOX, ...words('gridColumn gridRow')}),
  's-box': element(BOX),
  's-scroll-box': element(BOX),
  's-query-container': element(words('containerName')),
  's-section': element(words('accessibilityLabel heading padding')),
  's-divider': element(words('direction')),
  's-text': element(TEXT),
  's-paragraph': element(TEXT),
  's-heading': element(words('accessibilityRole')),
  's-abbreviation': element(words('title')),
  's-time': element(words('dateTime')),
  's-ordered-list': element({}),
  's-unordered-list': element({}),
  's-list-item': element({}),
  's-image': element({
    ...BORDER,
    ...words('accessibilityRole alt aspectRatio inlineSize loading objectFit sizes src srcSet'),
  }),
  's-product-thumbnail': element({...words('alt size sizes src srcSet'), ...numbers('totalItems')}),
  's-icon': element(words('size tone type')),
  's-button': element(
    {
      ...COMMAND,
      ...words('accessibilityLabel href inlineSize target tone type variant'),
      ...flags('disabled loading'),
    },
    ['click'],
  ),
  's-link': element({...COMMAND, ...words('accessibilityLabel href lang target tone')}, ['click']),
  's-clickable': element(
    {...BOX, ...COMMAND, ...words('href lang target type'), ...flags('disabled loading')},
    ['click', 'focus', 'blur'],
  ),
  's-clickable-chip': element(
    {...words('accessibilityLabel href'), ...flags('disabled hidden removable')},
    ['click', 'remove', 'afterhide'],
  ),
  's-chip': element(words('accessibilityLabel')),
  's-badge': element(words('color icon iconPosition size tone')),
  's-banner': element(
    {...words('heading tone'), ...flags('collapsible dismissible hidden')},
    ['dismiss', 'afterhide'],
  ),
  's-progress': element({...words('accessibilityLabel tone'), ...numbers('max value')}),
  's-skeleton-paragraph': element(words('content')),
  's-spinner': element(words('accessibilityLabel size')),
  's-details': element({...words('toggleTransition'), ...flags('defaultOpen open')}, ['toggle', 'aftertoggle']),
  's-summary': element({}),
};
