/** What tells of state: banner, badge, progress, skeleton, spinner, details. */
import {define, setOrRemove} from './element.ts';
import {icon} from './icons.ts';

const BANNERS: Readonly<Record<string, readonly [ink: string, tint: string]>> = {
  info: ['var(--info)', '#f0f6fb'],
  success: ['var(--success)', '#eef8f1'],
  warning: ['var(--warning)', '#fff8e8'],
  critical: ['var(--critical)', '#fdf1f0'],
};

const SPINNERS: Readonly<Record<string, number>> = {'small-100': 14, 'small': 16, 'base': 20, 'large': 28, 'large-100': 40};

const MOTION = '@media (prefers-reduced-motion:reduce){*{animation:none!important}}';

function defineBanner(): void {
  define('s-banner', {
    css: `:host{display:block}
      [data-part=banner]{display:grid;grid-template-columns:18px 1fr auto;gap:4px 10px;padding:12px 14px;border:1px solid var(--line);border-radius:8px}
      [data-part=icon]{block-size:18px;margin-block-start:1px}svg{inline-size:18px}
      strong{font-weight:600}strong:empty{display:none}
      [data-part=body]{display:grid;gap:4px}
      button{border:0;background:none;padding:2px;inline-size:22px;block-size:22px;cursor:pointer;color:inherit}button[hidden]{display:none}`,
    markup: `<div data-part="banner"><span data-part="icon"></span><div data-part="body"><strong data-part="heading"></strong><slot></slot></div>
      <button data-part="dismiss" type="button" aria-label="Dismiss">${icon('x')}</button></div>`,
    update(element, part) {
      const tone = element.text('tone') || 'auto';
      const [ink, tint] = BANNERS[tone] ?? ['var(--muted)', 'var(--subdued)'];
      part('banner').setAttribute('role', tone === 'critical' ? 'alert' : 'status');
      part('icon').innerHTML = icon(tone === 'auto' ? 'info' : tone);
      part('heading').textContent = element.text('heading');
      part('dismiss').hidden = !element.flag('dismissible');
      return `[data-part=banner]{background:${tint};border-color:color-mix(in srgb,${ink} 28%,white)}[data-part=icon]{color:${ink}}`;
    },
    connected(element, part) {
      part('dismiss').onclick = () => {
        element.dispatchEvent(new CustomEvent('dismiss'));
        element.hidden = true;
        element.dispatchEvent(new CustomEvent('afterhide'));
      };
    },
  });
}

function defineProgress(): void {
  define('s-progress', {
    css: `:host{display:block}[data-part=track]{block-size:6px;border-radius:999px;background:var(--strong);overflow:hidden}
      [data-part=fill]{block-size:100%;border-radius:inherit;background:var(--accent);transition:inline-size .3s}`,
    markup: '<div data-part="track" role="progressbar" aria-valuemin="0"><div data-part="fill"></div></div>',
    update(element, part) {
      const max = Number(element.text('max') || 1);
      const value = Math.min(Number(element.text('value') || 0), max);
      setOrRemove(part('track'), 'aria-valuemax', String(max));
      setOrRemove(part('track'), 'aria-valuenow', String(value));
      setOrRemove(part('track'), 'aria-label', element.text('accessibilityLabel'));
      const color = element.text('tone') === 'critical' ? 'var(--critical)' : 'var(--accent)';
      return `[data-part=fill]{inline-size:${max > 0 ? (100 * value) / max : 0}%;background:${color}}`;
    },
  });
}

export function defineFeedback(): void {
  defineBanner();
  defineProgress();
  define('s-badge', {
    css: ':host{display:inline-flex;align-items:center;gap:4px;padding:1px 8px;border-radius:999px;font-size:12px;line-height:20px;font-weight:500;white-space:nowrap}svg{inline-size:12px}',
    markup: '<span data-part="icon"></span><slot></slot>',
    update(element, part) {
      part('icon').innerHTML = element.text('icon') ? icon(element.text('icon')) : '';
      const [ink, tint] = BANNERS[element.text('tone')] ?? ['var(--ink)', 'var(--strong)'];
      return `:host{background:${tint};color:${ink}}[data-part=icon]:empty{display:none}`;
    },
  });
  define('s-skeleton-paragraph', {
    css: `:host{display:block}span{display:inline-block;inline-size:100%;block-size:1em;border-radius:4px;background:var(--strong);animation:breathe 1.6s ease-in-out infinite}
      @keyframes breathe{50%{opacity:.45}}${MOTION}`,
    markup: '<span data-part="bar" aria-hidden="true"></span>',
    update(element) {
      const length = element.text('content').length;
      return length ? `span{inline-size:min(100%,${length}ch)}` : '';
    },
  });
  define('s-spinner', {
    css: `:host{display:inline-block;line-height:0}span{display:inline-block;inline-size:100%;block-size:100%;border:2px solid var(--accent);border-block-start-color:transparent;border-radius:50%;animation:turn .8s linear infinite}
      @keyframes turn{to{transform:rotate(1turn)}}${MOTION}`,
    markup: '<span></span>',
    update(element) {
      element.setAttribute('role', 'status');
      setOrRemove(element, 'aria-label', element.text('accessibilityLabel') || 'Loading');
      const size = SPINNERS[element.text('size') || 'base'] ?? 20;
      return `:host{inline-size:${size}px;block-size:${size}px}`;
    },
  });
  define('s-details', {
    css: ':host{display:block}details>div{padding-block-start:6px}',
    markup: '<details data-part="details"><summary><slot name="summary"></slot></summary><div><slot></slot></div></details>',
    update(element, part) {
      if (element.values['open'] !== undefined) setOrRemove(part('details'), 'open', element.flag('open'));
    },
    connected(element, part) {
      setOrRemove(part('details'), 'open', element.flag('open') || element.flag('defaultOpen'));
      for (const child of element.querySelectorAll(':scope > s-summary')) child.slot = 'summary';
      part('details').ontoggle = () => element.dispatchEvent(new CustomEvent('toggle'));
    },
  });
  define('s-summary', {css: ':host{display:inline;cursor:pointer}', markup: '<slot></slot>'});
}
