/**
 * The sandboxed frame: no origin of its own, so the worker it starts speaks to servers as
 * `Origin: null`. It draws what the worker's remote tree says and sends events back.
 */
import {DOMRemoteReceiver, type DOMRemoteElementPolicy} from '@remote-dom/core/receivers';
import {ELEMENTS} from './elements.ts';
import {defineElements, speak} from './host/all.ts';
import type {Boot, FromFrame, Happened, Listener, Mutation} from './messages.ts';

defineElements();

const root = document.getElementById('root') ?? document.body;
const receiver = new DOMRemoteReceiver({root, elements: policy()});

/** Return which properties and events the worker may set on which element. */
function policy(): Readonly<Record<string, DOMRemoteElementPolicy>> {
  return Object.fromEntries(
    Object.entries(ELEMENTS).map(([tag, {properties, events}]) => [
      tag,
      {
        properties: Object.fromEntries(Object.keys(properties).map((name) => [name, {}])),
        attributes: ['slot', 'id'],
        events: Object.fromEntries(events.map((event) => [event, {}])),
      },
    ]),
  );
}

const toPage = (message: FromFrame): void => parent.postMessage(message, '*');

function isListener(value: object): value is Listener {
  return '$listener' in value;
}

/** Return the value with every numbered listener turned into a function that calls the worker. */
function revive(value: unknown, worker: Worker): unknown {
  if (Array.isArray(value)) return value.map((item) => revive(item, worker));
  if (typeof value !== 'object' || value === null) return value;
  if (isListener(value)) return (detail: unknown) => worker.postMessage(happened(value.$listener, detail));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revive(item, worker)]));
}

function happened(listener: number, detail: unknown): Happened {
  return {kind: 'happened', listener, detail: typeof detail === 'object' ? null : detail};
}

function start(boot: Boot, port: MessagePort): void {
  speak(boot.config as {locale?: string});
  const worker = new Worker(URL.createObjectURL(new Blob([boot.worker], {type: 'text/javascript'})));
  worker.onerror = (event) => toPage({kind: 'failed', message: event.message});
  worker.onmessage = ({data}: MessageEvent<Mutation>) => draw(data, worker);
  worker.postMessage(boot, [port]);
}

function draw({records}: Mutation, worker: Worker): void {
  try {
    receiver.connection.mutate(revive(records, worker) as Parameters<typeof receiver.connection.mutate>[0]);
  } catch (error) {
    toPage({kind: 'failed', message: String(error)});
  }
}

addEventListener('message', ({data, ports}: MessageEvent<Boot>) => {
  if (data.kind === 'boot' && ports[0]) start(data, ports[0]);
});
new ResizeObserver(() => toPage({kind: 'height', height: Math.ceil(root.getBoundingClientRect().height)})).observe(root);
toPage({kind: 'ready'});
