/** The base of every host element: Shopify's properties in, a shadow tree out. */
import {ELEMENTS, type Kind} from '../elements.ts';

/** How one element looks: its tree is made once and then only updated, so focus survives. */
export interface Look {
  readonly css: string;
  readonly markup: string;
  update?(element: HostElement, part: (name: string) => HTMLElement): string | void;
  connected?(element: HostElement, part: (name: string) => HTMLElement): void;
}

const SHARED = `
:host{box-sizing:border-box;font:inherit;color:inherit}
:host([hidden]){display:none!important}
*{box-sizing:border-box}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
`;

export class HostElement extends HTMLElement {
  /** Preact sets this one as an attribute, whatever properties an element has. */
  static readonly observedAttributes = ['href'];

  readonly values: Record<string, unknown> = {};
  private readonly styles = document.createElement('style');
  private scheduled = false;

  constructor(private readonly look: Look) {
    super();
    const shadow = this.attachShadow({mode: 'open'});
    const fixed = document.createElement('style');
    fixed.textContent = SHARED + look.css;
    const tree = document.createElement('template');
    tree.innerHTML = look.markup;
    shadow.append(fixed, this.styles, tree.content);
  }

  connectedCallback(): void {
    this.draw();
    this.look.connected?.(this, (name) => this.find(name));
  }

  attributeChangedCallback(name: string, _before: string | null, value: string | null): void {
    this.values[name] = value ?? undefined;
    this.schedule();
  }

  /** Draw again once the present batch of changes is in. */
  schedule(): void {
    if (this.scheduled || !this.isConnected) return;
    this.scheduled = true;
    queueMicrotask(() => this.draw());
  }

  text(name: string): string {
    const value = this.values[name];
    return value === undefined || value === null ? '' : String(value);
  }

  flag(name: string): boolean {
    const value = this.values[name];
    return value !== undefined && value !== null && value !== false && value !== 'false';
  }

  private draw(): void {
    this.scheduled = false;
    this.styles.textContent = this.look.update?.(this, (name) => this.find(name)) ?? '';
  }

  private find(name: string): HTMLElement {
    const found = this.shadowRoot?.querySelector<HTMLElement>(`[data-part="${name}"]`);
    if (!found) throw new Error(`<${this.localName}> has no part named ${name}`);
    return found;
  }
}

/** Register a host element for a tag of ELEMENTS. */
export function define(tag: string, look: Look): void {
  const definition = ELEMENTS[tag];
  if (!definition) throw new Error(`${tag} is not listed in ELEMENTS`);
  const Element = class extends HostElement {
    constructor() {
      super(look);
    }
  };
  for (const [name, kind] of Object.entries(definition.properties)) reflect(Element.prototype, name, kind);
  customElements.define(tag, Element);
}

function reflect(prototype: HostElement, name: string, kind: Kind): void {
  if (name === 'id') return;
  Object.defineProperty(prototype, name, {
    configurable: true,
    get(this: HostElement) {
      return this.values[name] ?? (kind === 'boolean' ? false : '');
    },
    set(this: HostElement, value: unknown) {
      this.values[name] = value;
      if (name === 'hidden') this.toggleAttribute('hidden', value === true);
      this.schedule();
    },
  });
}

/** Set an attribute to a value, or take it away when the value is empty. */
export function setOrRemove(target: Element, attribute: string, value: string | boolean): void {
  if (value === '' || value === false) target.removeAttribute(attribute);
  else target.setAttribute(attribute, value === true ? '' : value);
}
