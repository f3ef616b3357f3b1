/** The worker of a web pixel, strict sandbox: nothing but `shopify.extend('WebPixel::Render', …)`. */
import {lineOver, type Ask} from '../calls.ts';
import {reportGpc} from '../gpc.ts';
import type {Boot} from '../messages.ts';
import {fail, run, scope} from './scope.ts';

interface PixelEvent {
  readonly name: string;
  readonly type: 'standard' | 'custom';
}

interface PixelConfig {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly init: unknown;
}

type Render = (api: unknown) => unknown;
type Subscriber = (value: unknown) => void;

const POINT = 'WebPixel::Render';

class Bus {
  private readonly subscribers = new Map<string, Set<Subscriber>>();

  readonly subscribe = (name: string, subscriber: Subscriber): (() => boolean) => {
    const known = this.subscribers.get(name) ?? new Set();
    this.subscribers.set(name, known.add(subscriber));
    return () => known.delete(subscriber);
  };

  publish(names: readonly string[], value: unknown): void {
    for (const name of names) this.subscribers.get(name)?.forEach((subscriber) => subscriber(value));
  }
}

function browser(ask: Ask) {
  const storage = (area: string) => ({
    getItem: (key: string) => ask(`${area}.get`, key),
    setItem: (key: string, value: unknown) => ask(`${area}.set`, {key, value: String(value)}),
    removeItem: (key: string) => ask(`${area}.remove`, key),
  });
  return {
    cookie: {
      get: (name: string) => ask('cookie.get', name),
      set: (name: string, value?: string) => ask('cookie.set', {name, value}),
    },
    localStorage: storage('localStorage'),
    sessionStorage: storage('sessionStorage'),
    sendBeacon: (url: string, body?: string) =>
      fetch(url, {method: 'POST', body: body ?? null, keepalive: true}).then((answer) => answer.ok, () => false),
  };
}

function namesFor({name, type}: PixelEvent): readonly string[] {
  return [name, `all_${type}_events`, 'all_events'];
}

scope.onmessage = ({data, ports}) => {
  if (data.kind === 'boot' && ports[0]) start(data, ports[0]).catch(fail);
};

async function start({code, scriptUrl, config, gpc}: Boot, port: MessagePort): Promise<void> {
  reportGpc(gpc);
  const analytics = new Bus();
  const customerPrivacy = new Bus();
  const line = lineOver(port, {}, {
    event: (event) => analytics.publish(namesFor(event as PixelEvent), event),
    consent: (consent) => customerPrivacy.publish(['visitorConsentCollected'], {customerPrivacy: consent}),
  });
  const renders: Render[] = [];
  scope.shopify = {
    extend(point: string, render: Render) {
      if (point !== POINT) throw new Error(`a web pixel extends ${POINT}, not ${point}`);
      renders.push(render);
    },
  };
  run(code, scriptUrl);
  const {settings, init} = config as PixelConfig;
  const api = {
    settings,
    init,
    _pixelInfo: {runtimeContext: 'STRICT'},
    browser: browser(line.ask),
    analytics: {subscribe: analytics.subscribe},
    customerPrivacy: {subscribe: customerPrivacy.subscribe},
  };
  for (const render of renders) await render(api);
  await line.ask('started');
}
