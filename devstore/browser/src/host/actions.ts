/** What can be pressed: button, link, clickable, clickable chip. */
import {define, setOrRemove, type HostElement} from './element.ts';
import {boxStyles} from './boxes.ts';
import {icon} from './icons.ts';

const PRESSED = `
:host{display:inline-block}
a,button{font:inherit;color:inherit;text-decoration:none;border:0;background:none;padding:0;margin:0;text-align:start;cursor:pointer}
button:disabled,[aria-disabled]{cursor:default}
`;

const BUTTON = `${PRESSED}
[data-part=press]{position:relative;display:block;inline-size:100%;min-block-size:40px;padding:9px 16px;border:1px solid var(--accent);border-radius:8px;
  color:var(--accent);background:var(--paper);font-weight:600;line-height:20px;text-align:center;transition:background .12s,border-color .12s}
[data-part=press]:hover:not(:disabled,[aria-disabled]){background:var(--accent-tint)}
.primary[data-part=press]{background:var(--accent);color:#fff}
.primary[data-part=press]:hover:not(:disabled,[aria-disabled]){background:var(--accent-dark)}
.critical[data-part=press]{border-color:var(--critical);color:var(--critical)}
[data-part=press]:disabled{opacity:.55}
.loading .label{visibility:hidden}
.loading::after{content:"";position:absolute;inset:0;margin:auto;inline-size:18px;block-size:18px;border:2px solid currentColor;
  border-block-start-color:transparent;border-radius:50%;animation:turn .8s linear infinite}
@keyframes turn{to{transform:rotate(1turn)}}
@media (prefers-reduced-motion:reduce){.loading::after{animation-duration:3s}}
`;

/** Make the pressable part a link when there is an address, else a button. */
function pressable(element: HostElement, part: (name: string) => HTMLElement): HTMLElement {
  const press = part('press');
  const wanted = element.text('href') ? 'A' : 'BUTTON';
  if (press.tagName === wanted) return press;
  const replacement = document.createElement(wanted);
  replacement.dataset['part'] = 'press';
  replacement.append(...press.childNodes);
  press.replaceWith(replacement);
  return replacement;
}

function press(element: HostElement, part: (name: string) => HTMLElement): HTMLElement {
  const target = pressable(element, part);
  const address = element.text('href');
  setOrRemove(target, 'href', address);
  setOrRemove(target, 'type', address ? '' : 'button');
  setOrRemove(target, 'target', address && (element.text('target') || '_blank'));
  setOrRemove(target, 'rel', address && 'noopener');
  setOrRemove(target, 'disabled', !address && element.flag('disabled'));
  // A busy button keeps the focus: who pressed it with the keyboard is not sent back to the top of the page.
  setOrRemove(target, 'aria-disabled', element.flag('loading') && 'true');
  setOrRemove(target, 'aria-busy', element.flag('loading') && 'true');
  setOrRemove(target, 'aria-label', element.text('accessibilityLabel'));
  return target;
}

export function defineActions(): void {
  define('s-button', {
    css: BUTTON,
    markup: '<button data-part="press"><span class="label"><slot></slot></span></button>',
    update(element, part) {
      const target = press(element, part);
      const variant = element.text('variant') || 'auto';
      target.className = [variant, element.text('tone'), element.flag('loading') ? 'loading' : ''].join(' ').trim();
      return element.text('inlineSize') === 'fill' ? ':host{display:block}' : '';
    },
    connected(element) {
      element.addEventListener('click', (event) => element.flag('loading') && event.stopImmediatePropagation(), {capture: true});
    },
  });
  define('s-link', {
    css: `${PRESSED}:host{display:inline}[data-part=press]{color:var(--accent);text-decoration:underline;text-underline-offset:2px;display:inline}
      .neutral[data-part=press]{color:inherit}`,
    markup: '<button data-part="press"><slot></slot></button>',
    update(element, part) {
      press(element, part).className = element.text('tone');
    },
  });
  define('s-clickable', {
    css: `${PRESSED}:host{display:block}[data-part=press]{display:block;inline-size:100%;border-radius:inherit}`,
    markup: '<button data-part="press"><slot></slot></button>',
    update(element, part) {
      press(element, part);
      return boxStyles(element);
    },
  });
  define('s-chip', {
    css: ':host{display:inline-flex;padding:3px 10px;border:1px solid var(--line);border-radius:999px;background:var(--subdued);font-size:13px}',
    markup: '<slot></slot>',
    update: (element) => setOrRemove(element, 'aria-label', element.text('accessibilityLabel')),
  });
  define('s-clickable-chip', {
    css: `${PRESSED}:host{display:inline-flex;gap:6px;align-items:center;padding:3px 10px;border:1px solid var(--line);border-radius:999px;background:var(--subdued);font-size:13px}
      [data-part=remove]{inline-size:16px;block-size:16px;line-height:0}[data-part=remove][hidden]{display:none}`,
    markup: `<button data-part="press"><slot></slot></button><button data-part="remove" type="button" aria-label="Remove">${icon('x')}</button>`,
    update(element, part) {
      press(element, part);
      part('remove').hidden = !element.flag('removable');
    },
    connected(element, part) {
      part('remove').onclick = (event) => {
        event.stopPropagation();
        element.dispatchEvent(new CustomEvent('remove'));
      };
    },
  });
}
