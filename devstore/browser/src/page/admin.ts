/** The admin around the embedded app: fresh id tokens, what the merchant is asked, and the save bar. */
import {pickProducts, type Wanted} from './picker';

interface FromApp {
  readonly kind: 'devstore-app-bridge';
  readonly id: number;
  readonly want?: 'idToken' | 'scopes' | 'products';
  readonly about?: unknown;
  readonly toast?: string;
  readonly saveBar?: boolean;
}

const frame = document.querySelector<HTMLIFrameElement>('iframe[data-app]');
const appOrigin = new URL(frame?.src ?? location.href).origin;

async function idToken(): Promise<string> {
  const answer = await fetch(`/admin/id-token${location.search}`, {method: 'POST'});
  if (!answer.ok) throw new Error(`the dev store answered ${answer.status}`);
  return ((await answer.json()) as {token: string}).token;
}

const asking = new Map<number, Promise<unknown>>();

/** Ask the merchant, once for each time the app asks, however often its question comes. */
function once(id: number, ask: () => Promise<unknown>): Promise<unknown> {
  const known = asking.get(id) ?? ask();
  asking.set(id, known);
  return known;
}

const ASKED = {
  idToken: () => idToken(),
  scopes: ({id, about}: FromApp) => once(id, () => agreed(about as readonly string[])),
  products: ({id, about}: FromApp) => once(id, () => pickProducts(about as Wanted)),
};

async function agreed(wanted: readonly string[]): Promise<{result: string}> {
  const dialog = document.querySelector<HTMLDialogElement>('dialog[data-scopes]');
  const place = dialog?.querySelector('[data-wanted]');
  if (!dialog || !place) return {result: 'declined-all'};
  place.textContent = wanted.map((scope) => scope.replaceAll('_', ' ')).join(', ');
  dialog.returnValue = 'declined';
  dialog.showModal();
  await new Promise((done) => dialog.addEventListener('close', done, {once: true}));
  if (dialog.returnValue !== 'granted') return {result: 'declined-all'};
  const answer = await fetch(`/admin/scopes${location.search}`, {
    method: 'POST',
    headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({scopes: wanted}),
  });
  if (!answer.ok) throw new Error(`the dev store answered ${answer.status}`);
  return {result: 'granted-all'};
}

function show(message: string): void {
  const place = document.querySelector<HTMLElement>('[data-toast]');
  if (!place) return;
  place.textContent = message;
  setTimeout(() => (place.textContent = ''), 4000);
}

addEventListener('message', async ({source, origin, data}: MessageEvent<FromApp>) => {
  if (source !== frame?.contentWindow || origin !== appOrigin || data.kind !== 'devstore-app-bridge') return;
  if (data.toast) show(data.toast);
  if (data.saveBar !== undefined && saveBar) saveBar.hidden = !data.saveBar;
  if (!data.want) return;
  const answer = await ASKED[data.want](data);
  frame.contentWindow?.postMessage({kind: data.kind, id: data.id, answer}, appOrigin);
});

const saveBar = document.querySelector<HTMLElement>('[data-save-bar]');
saveBar?.addEventListener('click', ({target}) => {
  const pressed = target instanceof HTMLButtonElement && target.value;
  if (pressed) frame?.contentWindow?.postMessage({kind: 'devstore-app-bridge', pressed}, appOrigin);
});
frame?.addEventListener('load', () => {
  if (saveBar) saveBar.hidden = true;
});
