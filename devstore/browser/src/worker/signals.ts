/** The signals of the `shopify` global, rebuilt with Preact's class once the extension hands it over. */

export interface SignalLike {
  value: unknown;
  subscribe(listener: (value: unknown) => void): () => void;
}

export type SignalClass = new (value: unknown) => SignalLike;

/** Enough of a signal for an extension that uses no Preact. */
class PlainSignal implements SignalLike {
  private readonly listeners = new Set<(value: unknown) => void>();

  constructor(private current: unknown) {}

  get value(): unknown {
    return this.current;
  }

  set value(next: unknown) {
    this.current = next;
    for (const listener of this.listeners) listener(next);
  }

  subscribe(listener: (value: unknown) => void): () => void {
    this.listeners.add(listener);
    listener(this.current);
    return () => void this.listeners.delete(listener);
  }
}

export class Signals {
  private Class: SignalClass = PlainSignal;
  private readonly signals = new Map<string, SignalLike>();

  get(name: string): SignalLike {
    const found = this.signals.get(name);
    if (!found) throw new Error(`the dev store has no ${name}`);
    return found;
  }

  /** Set what changed and leave the rest, so that nothing renders twice for nothing. */
  set(values: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(values)) {
      const known = this.signals.get(name);
      if (!known) this.signals.set(name, new this.Class(value));
      else if (JSON.stringify(known.value) !== JSON.stringify(value)) known.value = value;
    }
  }

  use(Class: SignalClass): void {
    this.Class = Class;
    for (const [name, old] of this.signals) this.signals.set(name, new Class(old.value));
  }

  /** Return an object whose getters give the signals under `prefix`: `cost.` and then its names. */
  group(names: readonly string[], prefix = ''): Record<string, SignalLike> {
    const group: Record<string, SignalLike> = {};
    for (const name of names) {
      Object.defineProperty(group, name, {enumerable: true, get: () => this.get(prefix + name)});
    }
    return group;
  }
}
