/** The worker's side of the tree: remote elements, and listeners as numbers. */
import '@remote-dom/core/polyfill';
import {ROOT_ID, type RemoteConnection} from '@remote-dom/core';
import {BatchingRemoteConnection, connectRemoteNode, createRemoteElement, setRemoteId} from '@remote-dom/core/elements';
import {ELEMENTS, type Kind} from '../elements.ts';
import type {Listener} from '../messages.ts';
import {scope} from './scope.ts';

const TYPES: Readonly<Record<Kind, unknown>> = {string: String, boolean: Boolean, number: Number};
const listeners = new Map<number, (detail: unknown) => unknown>();
const numbers = new WeakMap<object, number>();

function defineRemoteElements(): void {
  for (const [tag, {properties, events}] of Object.entries(ELEMENTS)) {
    const Remote = createRemoteElement({
      properties: Object.fromEntries(Object.entries(properties).map(([name, kind]) => [name, {type: TYPES[kind]}])),
      events: Object.fromEntries(events.map((event) => [event, {}])),
    } as Parameters<typeof createRemoteElement>[0]);
    // Preact lower-cases `onClick` to "click" only when the element has an `onclick`.
    for (const event of events) Object.defineProperty(Remote.prototype, `on${event}`, {value: null, writable: true});
    customElements.define(tag, Remote as unknown as CustomElementConstructor);
  }
}

function numbered(listener: (detail: unknown) => unknown): Listener {
  const known = numbers.get(listener) ?? listeners.size + 1;
  numbers.set(listener, known);
  listeners.set(known, listener);
  return {$listener: known};
}

function flatten(value: unknown): unknown {
  if (typeof value === 'function') return numbered(value as (detail: unknown) => unknown);
  if (Array.isArray(value)) return value.map(flatten);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, flatten(item)]));
}

/**
 * Start sending every change of document.body to the frame. The polyfill tells of each as it is made;
 * an observer beside it would tell everything twice, and take away the neighbours of what went.
 */
export function mirror(): void {
  defineRemoteElements();
  const connection: RemoteConnection = {
    mutate: (records) => scope.postMessage({kind: 'mutation', records: flatten(records) as unknown[]}),
    call: () => undefined,
  };
  setRemoteId(document.body, ROOT_ID);
  connectRemoteNode(document.body, new BatchingRemoteConnection(connection));
}

export function heard(listener: number, detail: unknown): void {
  listeners.get(listener)?.(detail);
}
