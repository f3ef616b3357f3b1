/** Images: image, product thumbnail, icon. */
import {define, setOrRemove, type HostElement} from './element.ts';
import {boxStyles} from './boxes.ts';
import {icon} from './icons.ts';

function picture(element: HostElement, image: HTMLElement): void {
  for (const name of ['src', 'srcSet', 'sizes', 'loading']) setOrRemove(image, name.toLowerCase(), element.text(name));
  image.setAttribute('alt', element.text('accessibilityRole') === 'presentation' ? '' : element.text('alt'));
}

const THUMBNAIL_SIZES: Readonly<Record<string, number>> = {'small-100': 40, 'small': 48, 'base': 64};
const ICON_SIZES: Readonly<Record<string, number>> = {
  'small-200': 10,
  'small-100': 12,
  'small': 14,
  'base': 18,
  'large': 22,
  'large-100': 28,
};
const ICON_TONES: Readonly<Record<string, string>> = {
  neutral: 'var(--muted)',
  info: 'var(--info)',
  success: 'var(--success)',
  warning: 'var(--warning)',
  critical: 'var(--critical)',
};

export function definePictures(): void {
  define('s-image', {
    css: ':host{display:block;overflow:hidden}img{display:block;inline-size:100%;block-size:100%}',
    markup: '<img data-part="image">',
    update(element, part) {
      picture(element, part('image'));
      const ratio = element.text('aspectRatio');
      const fit = element.text('objectFit') || 'contain';
      const size = element.text('inlineSize') === 'auto' ? 'auto' : '100%';
      return boxStyles(element) + `:host{inline-size:${size}}img{object-fit:${fit};aspect-ratio:${ratio || 'auto'}}`;
    },
  });
  define('s-product-thumbnail', {
    css: `:host{display:block;position:relative;flex:none}
      img{display:block;inline-size:100%;block-size:100%;object-fit:cover;border:1px solid var(--line);border-radius:8px;background:var(--subdued)}
      img:not([src]){display:none}
      :host{border-radius:8px;background:var(--strong)}
      span{position:absolute;inset-block-start:-8px;inset-inline-end:-8px;min-inline-size:20px;padding:0 5px;border-radius:999px;
        background:#5c5c5c;color:#fff;font-size:12px;line-height:20px;text-align:center}
      span:empty{display:none}`,
    markup: '<img data-part="image"><span data-part="count"></span>',
    update(element, part) {
      picture(element, part('image'));
      part('count').textContent = element.text('totalItems');
      const size = THUMBNAIL_SIZES[element.text('size') || 'base'] ?? 64;
      return `:host{inline-size:${size}px;block-size:${size}px}`;
    },
  });
  define('s-icon', {
    css: ':host{display:inline-block;flex:none;line-height:0}svg{inline-size:100%;block-size:100%}',
    markup: '<span data-part="icon"></span>',
    update(element, part) {
      part('icon').innerHTML = icon(element.text('type'));
      const size = ICON_SIZES[element.text('size') || 'base'] ?? 18;
      return `:host{inline-size:${size}px;block-size:${size}px;color:${ICON_TONES[element.text('tone')] ?? 'inherit'}}`;
    },
  });
}
