// Stand-ins for the Polaris elements this admin uses, for work without Shopify's CDN. Development
// only: with a real store the page loads Shopify's own script. Names and attributes are those of
// @shopify/polaris-types; the look is close, the behaviour is what the dashboard needs.

(() => {
  const SPACE = {
    none: '0', 'small-500': '2px', 'small-400': '4px', 'small-300': '6px', 'small-200': '8px',
    'small-100': '12px', small: '12px', base: '16px', large: '20px', 'large-100': '24px',
  };
  const TONES = Object.fromEntries(
    ['auto', 'neutral', 'info', 'success', 'caution', 'warning', 'critical'].map((tone) => [
      tone, [`var(--dev-${tone}-back)`, `var(--dev-${tone}-ink)`],
    ]),
  );
  const ICONS = {'question-circle': '?', x: '×', 'arrow-up': '↑', 'arrow-down': '↓'};
  const VARIANTS = {
    primary: `a, button { background: var(--dev-ink); color: var(--dev-card); box-shadow: none; }
      a:hover, button:hover { background: var(--dev-subdued); }`,
    tertiary: `a, button { padding: 4px 6px; background: none; color: var(--dev-subdued); box-shadow: none; }
      a:hover, button:hover { background: var(--dev-edge); color: var(--dev-ink); }`,
  };
  const ROUND = `button { inline-size: 1.25rem; block-size: 1.25rem; padding: 0; border-radius: 50%; box-shadow: 0 0 0 1px var(--dev-border) inset; font-size: 0.6875rem; }`;
  const FONT = 'Inter, -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, sans-serif';

  const page = new CSSStyleSheet();
  page.replaceSync(`
    :root {
      color-scheme: light dark;
      --dev-card: #fff; --dev-field: #fdfdfd; --dev-hover: #fafafa; --dev-head: #f7f7f7; --dev-page: #f1f1f1;
      --dev-line: #ebebeb; --dev-edge: #e3e3e3; --dev-faint: #b5b5b5; --dev-border: #8a8a8a; --dev-subdued: #616161;
      --dev-ink: #303030; --dev-link: #005bd3; --dev-critical: #8e1f0b; --dev-refused: #fee9e8;
      --dev-auto-back: #e3e3e3; --dev-auto-ink: #616161; --dev-neutral-back: #e3e3e3; --dev-neutral-ink: #616161;
      --dev-info-back: #d5ebff; --dev-info-ink: #003a5a; --dev-success-back: #cdfee1; --dev-success-ink: #0c5132;
      --dev-caution-back: #fff8db; --dev-caution-ink: #4f4700;
      --dev-warning-back: #ffd6a4; --dev-warning-ink: #5e4200;
      --dev-critical-back: #fed1d7; --dev-critical-ink: #8e1f0b;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --dev-card: #1f1f1f; --dev-field: #2a2a2a; --dev-hover: #2a2a2a; --dev-head: #262626; --dev-page: #141414;
        --dev-line: #333; --dev-edge: #3a3a3a; --dev-faint: #5c5c5c; --dev-border: #8a8a8a; --dev-subdued: #a8a8a8;
        --dev-ink: #e8e8e8; --dev-link: #7ab5ff; --dev-critical: #ff9d8f; --dev-refused: #3d1a16;
        --dev-auto-back: #3a3a3a; --dev-auto-ink: #c8c8c8; --dev-neutral-back: #3a3a3a; --dev-neutral-ink: #c8c8c8;
        --dev-info-back: #0f3350; --dev-info-ink: #b5dcff; --dev-success-back: #0c3a26; --dev-success-ink: #a9f2c8;
        --dev-caution-back: #3b3500; --dev-caution-ink: #ffe98a;
        --dev-warning-back: #47300a; --dev-warning-ink: #ffcf8f;
        --dev-critical-back: #4a1512; --dev-critical-ink: #ffb8b0;
      }
    }
    body { margin: 0; background: var(--dev-page); color: var(--dev-ink); font: 0.8125rem/1.4 ${FONT}; }
    s-table { display: table; inline-size: 100%; border-collapse: collapse; }
    s-table-header-row, s-table-row { display: table-row; }
    s-table-body { display: table-row-group; }
    s-table-header, s-table-cell { display: table-cell; padding: 8px 12px; vertical-align: middle; text-align: start; }
    s-table-header { background: var(--dev-head); color: var(--dev-subdued); font-weight: 550; font-size: 0.75rem; white-space: nowrap; }
    s-table-row > s-table-cell { border-block-start: 1px solid var(--dev-line); }
    s-table-cell.numeric, s-table-header[format=numeric], s-table-header[format=currency] {
      text-align: end; font-variant-numeric: tabular-nums;
    }
    @media (max-width: 600px) {
      s-table, s-table-body { display: block; }
      s-table-header-row { display: none; }
      s-table-row { display: block; padding: 10px 16px; border-block-start: 1px solid var(--dev-line); }
      s-table-row:first-child { border-block-start: 0; }
      s-section:not([padding=none]) s-table-row { padding-inline: 0; }
      s-table-row > s-table-cell, s-table-cell.numeric { display: flex; justify-content: space-between; gap: 16px; padding: 3px 0; border: 0; text-align: end; }
      s-table-cell.primary { text-align: start; font-weight: 550; }
      s-table-row > s-table-cell:not([data-label]) { text-align: start; }
      s-table-cell[data-label]::before { content: attr(data-label); color: var(--dev-subdued); flex: none; font-weight: 400; }
    }
  `);
  document.adoptedStyleSheets.push(page);

  /** Define an element with a shadow tree that is drawn again whenever an attribute changes. */
  function define(name, draw, {attributes = [], form = false, connected} = {}) {
    const watched = [...attributes, 'heading', 'tone', 'disabled', 'href', 'hidden'];
    customElements.define(name, class extends HTMLElement {
      static formAssociated = form;
      static observedAttributes = watched.map((attribute) => attribute.toLowerCase());

      constructor() {
        super();
        this.attachShadow({mode: 'open', delegatesFocus: true});
        if (form) this.internals = this.attachInternals();
      }

      connectedCallback() {
        this.redraw();
        connected?.(this);
      }

      attributeChangedCallback() {
        if (this.isConnected) this.redraw();
      }

      redraw() {
        const read = (attribute, otherwise = '') => this.getAttribute(attribute) ?? otherwise;
        const {id, selectionStart, selectionEnd} = this.shadowRoot.activeElement ?? {};
        this.shadowRoot.innerHTML = draw(read, this);
        const again = id && this.shadowRoot.getElementById(id);
        if (!again) return;
        again.focus(); // who types goes on typing
        if (selectionStart != null) again.setSelectionRange(selectionStart, selectionEnd);
      }
    });
  }

  const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  const gap = (read) => SPACE[read('gap', 'none')] ?? read('gap');

  define('s-page', (read) => `
    <style>
      :host { display: block; max-inline-size: 62rem; margin: 0 auto; padding: 20px 16px 48px; }
      h1 { margin: 0 0 16px; font: 650 1.25rem/1.4 ${FONT}; }
      .content { display: grid; gap: 16px; grid-template-columns: minmax(0, 1fr); }
    </style>
    <h1>${escaped(read('heading'))}</h1><div class="content"><slot></slot></div>`);

  define('s-section', (read) => `
    <style>
      :host { display: block; background: var(--dev-card); border-radius: 12px; overflow: hidden;
        box-shadow: 0 1px 0 rgb(26 26 26 / 7%), 0 0 0 1px var(--dev-edge); }
      .content { display: grid; gap: 12px; padding: ${read('padding') === 'none' ? '0' : '16px'}; grid-template-columns: minmax(0, 1fr); }
      h2 { margin: 0; font: 650 0.875rem/1.4 ${FONT}; }
    </style>
    <div class="content" role="group" aria-label="${escaped(read('accessibilityLabel') || read('heading'))}">
      ${read('heading') ? `<h2>${escaped(read('heading'))}</h2>` : ''}<slot></slot>
    </div>`, {attributes: ['padding']});

  define('s-banner', (read) => {
    const [back, ink] = TONES[read('tone', 'info')] ?? TONES.info;
    return `
      <style>
        :host { display: block; background: var(--dev-card); border-radius: 12px; overflow: hidden; box-shadow: 0 0 0 1px var(--dev-edge); }
        strong { display: block; padding: 10px 16px; background: ${back}; color: ${ink}; font-weight: 650; }
        .content { display: grid; gap: 10px; padding: 12px 16px; justify-items: start; }
      </style>
      <div role="status"><strong>${escaped(read('heading'))}</strong>
      <div class="content"><slot></slot><slot name="secondary-actions"></slot></div></div>`;
  });

  define('s-badge', (read) => {
    const [back, ink] = TONES[read('tone', 'neutral')] ?? TONES.neutral;
    return `
      <style>:host { display: inline-block; padding: 2px 8px; border-radius: 8px; white-space: nowrap;
        background: ${back}; color: ${ink}; font: 550 0.75rem/1.35 ${FONT}; }</style><slot></slot>`;
  });

  define('s-box', (read) => `
    <style>:host { display: block; padding: ${SPACE[read('padding', 'none')]};
      ${read('border') ? 'border: 1px solid var(--dev-edge);' : ''} border-radius: ${read('borderRadius') ? '8px' : '0'}; }</style><slot></slot>`);

  define('s-stack', (read) => `
    <style>:host { display: flex; gap: ${gap(read)}; flex-direction: ${read('direction') === 'inline' ? 'row' : 'column'};
      flex-wrap: ${read('direction') === 'inline' ? 'wrap' : 'nowrap'};
      align-items: ${read('alignItems', 'stretch')}; justify-content: ${read('justifyContent', 'start')}; }</style><slot></slot>`);

  define('s-grid', (read) => `
    <style>:host { display: grid; gap: ${gap(read)}; grid-template-columns: ${escaped(read('gridTemplateColumns', 'none'))}; }</style><slot></slot>`);

  define('s-heading', () => `<style>:host { display: block; font: 600 0.8125rem/1.4 ${FONT}; }</style><span role="heading" aria-level="3"><slot></slot></span>`);

  define('s-paragraph', (read) => `
    <style>:host { display: block; color: ${read('color') === 'subdued' ? 'var(--dev-subdued)' : 'inherit'}; }</style><slot></slot>`);

  define('s-text', (read) => `
    <style>:host { color: ${read('color') === 'subdued' ? 'var(--dev-subdued)' : 'inherit'}; font-weight: ${read('type') === 'strong' ? '600' : 'inherit'}; }</style><slot></slot>`);

  define('s-link', (read, link) => {
    const tab = link.parentElement?.localName === 's-app-nav';
    const path = tab && new URL(read('href'), location.href).pathname;
    const here = location.pathname.replace(/^\/$/, '/admin');
    const current = tab && (here === path || (path !== '/admin' && here.startsWith(`${path}/`)));
    const label = read('accessibilityLabel') ? `aria-label="${escaped(read('accessibilityLabel'))}"` : '';
    return `
      <style>
        a { color: var(--dev-link); text-decoration: underline; }
        a.tab { display: block; padding: 6px 12px; white-space: nowrap; border-radius: 8px; color: var(--dev-ink); text-decoration: none; font-weight: 550; }
        a.tab:hover, a.tab[aria-current] { background: var(--dev-edge); }
      </style>
      <a ${tab ? 'class="tab"' : ''} ${current ? 'aria-current="page"' : ''} ${label} href="${escaped(read('href'))}"><slot></slot></a>`;
  });

  define('s-thumbnail', (read) => `
    <style>:host { display: block; flex: none; }
      img { display: block; inline-size: 32px; block-size: 32px; border-radius: 6px; object-fit: cover; background: var(--dev-page); box-shadow: 0 0 0 1px var(--dev-edge); }</style>
    <img src="${escaped(read('src'))}" alt="${escaped(read('alt'))}" loading="lazy">`);

  define('s-button', (read) => {
    const name = read('accessibilityLabel') ? `aria-label="${escaped(read('accessibilityLabel'))}"` : '';
    const says = read('icon') ? `<slot>${ICONS[read('icon')] ?? '•'}</slot>` : '<slot></slot>';
    const inside = read('href')
      ? `<a part="button" href="${escaped(read('href'))}" ${name}>${says}</a>`
      : `<button type="button" ${name} ${read('disabled', null) === null ? '' : 'disabled'}>${says}</button>`;
    return `
      <style>
        :host { display: inline-block; }
        a, button { display: inline-block; padding: 6px 12px; border: 0; border-radius: 8px; background: var(--dev-card); color: var(--dev-ink); cursor: pointer;
          font: 550 0.75rem/1.35 ${FONT}; text-decoration: none; white-space: nowrap;
          box-shadow: 0 0 0 1px var(--dev-faint) inset, 0 1px 0 var(--dev-edge); }
        a:hover, button:hover { background: var(--dev-hover); }
        ${VARIANTS[read('variant')] ?? ''}
        ${read('icon') === 'question-circle' ? ROUND : ''}
        :focus-visible { outline: 2px solid var(--dev-link); outline-offset: 1px; }
        button:disabled { color: var(--dev-faint); cursor: default; }
      </style>${inside}`;
  }, {
    attributes: ['accessibilityLabel'],
    form: true,
    connected(button) {
      button.addEventListener('click', () => {
        if (button.getAttribute('type') === 'submit') button.internals.form?.requestSubmit();
        if (button.getAttribute('commandFor')) document.getElementById(button.getAttribute('commandFor')).togglePopover();
      });
    },
  });

  define('s-popover', () => `
    <style>
      :host { inset: 0; margin: auto; padding: 0; max-inline-size: min(24rem, 90vw); block-size: fit-content; border: 1px solid var(--dev-edge);
        border-radius: 12px; background: var(--dev-card); color: var(--dev-ink); box-shadow: 0 4px 16px rgb(0 0 0 / 25%); }
      :host(:not(:popover-open)) { display: none; }
    </style><slot></slot>`, {connected(popover) { popover.popover = 'auto'; }});

  /** Define a field with a visible label, its details and its error, as screen readers are told them. */
  function defineField(name, {lines = false, type = 'text'} = {}) {
    define(name, (read, field) => {
      const hidden = read('labelAccessibilityVisibility') === 'exclusive';
      const notes = ['details', 'error'].filter((note) => read(note));
      const passed = ['inputMode', 'placeholder'].filter((name) => read(name));
      const told = `id="input" ${hidden ? `aria-label="${escaped(read('label'))}"` : ''}
            ${notes.length ? `aria-describedby="${notes.join(' ')}"` : ''} ${read('error') ? 'aria-invalid="true"' : ''}
            ${passed.map((name) => `${name.toLowerCase()}="${escaped(read(name))}"`).join(' ')}`;
      const typed = escaped(field.typed ?? read('value'));
      return `
        <style>
          :host { display: block; }
          label { display: block; margin-block-end: 4px; font: 0.8125rem/1.4 ${FONT}; }
          .field { display: flex; gap: 8px; align-items: center; }
          input, textarea { box-sizing: border-box; inline-size: ${read('suffix') ? '7rem' : '100%'}; min-block-size: 2.125rem; padding: 6px 12px; border: 1px solid ${read('error') ? 'var(--dev-critical)' : 'var(--dev-border)'}; border-radius: 8px; font: 0.8125rem/1.5 ${FONT}; background: ${read('error') ? 'var(--dev-refused)' : 'var(--dev-field)'}; }
          textarea { resize: vertical; min-block-size: 5rem; }
          input:focus-visible, textarea:focus-visible { outline: 2px solid var(--dev-link); outline-offset: 1px; }
          p { margin: 4px 0 0; color: var(--dev-subdued); font: 0.8125rem/1.4 ${FONT}; }
          p#error { color: var(--dev-critical); }
        </style>
        ${hidden ? '' : `<label for="input">${escaped(read('label'))}</label>`}
        <div class="field">
          ${lines ? `<textarea ${told}>${typed}</textarea>` : `<input type="${type}" value="${typed}" ${told}>`}
          ${escaped(read('suffix'))}
        </div>
        ${notes.map((note) => `<p id="${note}">${escaped(read(note))}</p>`).join('')}`;
    }, {
      attributes: ['error', 'details', 'label', 'placeholder'],
      form: true,
      connected(field) {
        field.addEventListener('keydown', ({key}) => {
          if (key === 'Enter' && !lines) field.internals.form?.requestSubmit();
        });
        field.internals.setFormValue(field.getAttribute('value') ?? '');
        field.shadowRoot.addEventListener('input', ({target}) => {
          field.typed = target.value;
          field.internals.setFormValue(target.value);
        });
        const value = {
          get: () => field.typed ?? field.getAttribute('value') ?? '',
          set(text) {
            field.typed = String(text);
            field.redraw();
          },
          configurable: true,
        };
        Object.defineProperty(field, 'value', value);
      },
    });
  }

  defineField('s-text-field');
  defineField('s-search-field', {type: 'search'});
  defineField('s-number-field');
  defineField('s-date-field');
  defineField('s-text-area', {lines: true});

  define('s-checkbox', (read, field) => `
    <style>
      :host { display: block; font: 0.8125rem/1.4 ${FONT}; }
      label { display: flex; gap: 8px; align-items: start; }
      input { margin: 2px 0 0; inline-size: 16px; block-size: 16px; flex: none; accent-color: var(--dev-ink); }
      input:focus-visible { outline: 2px solid var(--dev-link); outline-offset: 1px; }
    </style>
    <label><input type="checkbox" id="input" ${field.ticked ?? field.hasAttribute('checked') ? 'checked' : ''}>${escaped(read('label'))}</label>`, {
    form: true,
    connected(field) {
      Object.defineProperty(field, 'checked', {get: () => field.ticked ?? field.hasAttribute('checked'), configurable: true});
      Object.defineProperty(field, 'value', {get: () => field.getAttribute('value') ?? 'on', configurable: true});
      field.shadowRoot.addEventListener('change', ({target}) => {
        field.ticked = target.checked;
        field.dispatchEvent(new Event('change', {bubbles: true}));
      });
    },
  });

  define('s-option', () => '');
  define('s-option-group', () => '');
  define('s-select', (read, field) => {
    const hidden = read('labelAccessibilityVisibility') === 'exclusive';
    const notes = ['details', 'error'].filter((note) => read(note));
    const offered = [...field.querySelectorAll('s-option')];
    const chosen = field.chosen ?? offered.find((option) => option.hasAttribute('selected'))?.getAttribute('value');
    const one = (option) => {
      const value = option.getAttribute('value');
      return `<option value="${escaped(value)}" ${value === chosen ? 'selected' : ''}>${escaped(option.textContent)}</option>`;
    };
    const named = [...field.children].map((part) => {
      if (part.localName !== 's-option-group') return one(part);
      return `<optgroup label="${escaped(part.getAttribute('label'))}">${[...part.children].map(one).join('')}</optgroup>`;
    });
    if (read('placeholder')) named.unshift(`<option value="" ${chosen ? '' : 'selected'}>${escaped(read('placeholder'))}</option>`);
    return `
      <style>
        :host { display: block; }
        label { display: block; margin-block-end: 4px; font: 0.8125rem/1.4 ${FONT}; }
        select { box-sizing: border-box; inline-size: 100%; min-block-size: 2.125rem; padding: 6px 8px; border: 1px solid ${read('error') ? 'var(--dev-critical)' : 'var(--dev-border)'}; border-radius: 8px; background: var(--dev-field); font: 0.8125rem/1.5 ${FONT}; }
        select:focus-visible { outline: 2px solid var(--dev-link); outline-offset: 1px; }
        p { margin: 4px 0 0; color: var(--dev-subdued); font: 0.8125rem/1.4 ${FONT}; }
        p#error { color: var(--dev-critical); }
      </style>
      ${hidden ? '' : `<label for="select">${escaped(read('label'))}</label>`}
      <select id="select" ${hidden ? `aria-label="${escaped(read('label'))}"` : ''} ${notes.length ? `aria-describedby="${notes.join(' ')}"` : ''} ${read('error') ? 'aria-invalid="true"' : ''}>${named.join('')}</select>
      ${notes.map((note) => `<p id="${note}">${escaped(read(note))}</p>`).join('')}<slot hidden></slot>`;
  }, {
    attributes: ['error', 'details', 'label'],
    form: true,
    connected(field) {
      const value = {
        get: () => field.shadowRoot.querySelector('select').value,
        set(text) {
          field.chosen = text;
          field.redraw();
        },
        configurable: true,
      };
      Object.defineProperty(field, 'value', value);
      const submits = () => field.internals.setFormValue(field.value);
      submits();
      // Options that are parsed after the field.
      new MutationObserver(() => {
        field.redraw();
        submits();
      }).observe(field, {childList: true});
      field.shadowRoot.addEventListener('change', ({target}) => {
        field.chosen = target.value;
        submits();
        field.dispatchEvent(new Event('change', {bubbles: true}));
      });
    },
  });

  // App Bridge shows these links in the admin's own navigation; here they are tabs.
  define('s-app-nav', () => `
    <style>
      :host { display: flex; gap: 4px; max-inline-size: 62rem; margin: 0 auto; padding: 12px 4px 0; overflow-x: auto; scrollbar-width: none; }
    </style><slot></slot>`, {
    connected: (nav) => addEventListener('load', () => {
      const current = [...nav.children].find((link) => link.shadowRoot?.querySelector('[aria-current]'));
      if (current) nav.scrollLeft += current.getBoundingClientRect().left - nav.getBoundingClientRect().left - nav.clientWidth / 3;
    }),
  });

  /** On a phone a row becomes a list: each cell then says which column it belongs to. */
  function labelCells(table) {
    const headers = [...table.querySelectorAll('s-table-header')];
    for (const row of table.querySelectorAll('s-table-row')) {
      [...row.children].forEach((cell, index) => {
        const header = headers[index];
        const slot = header?.getAttribute('listSlot');
        if (slot === 'labeled' || slot === 'inline') cell.dataset.label = header.textContent;
        cell.classList.toggle('primary', slot === 'primary');
        cell.classList.toggle('numeric', ['numeric', 'currency'].includes(header?.getAttribute('format')));
      });
    }
  }

  define('s-table', () => '<slot></slot>', {
    connected(table) {
      labelCells(table);
      // Rows are labelled as they come, before they are painted, so that nothing moves.
      new MutationObserver(() => labelCells(table)).observe(table, {childList: true, subtree: true});
    },
  });
  for (const part of ['header-row', 'header', 'body', 'row', 'cell']) define(`s-table-${part}`, () => '<slot></slot>');
})();
