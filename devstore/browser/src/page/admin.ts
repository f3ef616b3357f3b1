/** The admin around the embedded app: gives the frame fresh id tokens, and asks the merchant for scopes. */

interface FromApp {
  readonly kind: 'devstore-app-bridge';
  readonly id: number;
  readonly want?: 'idToken' | 'scopes';
  readonly scopes?: readonly string[];
  readonly toast?: string;
}

const frame = document.querySelector<HTMLIFrameElement>('iframe[data-app]');
const appOrigin = new URL(frame?.src ?? location.href).origin;

async function idToken(): Promise<string> {
  const answer = await fetch(`/admin/id-token${location.search}`, {method: 'POST'});
  if (!answer.ok) throw new Error(`the dev store answered ${answer.status}`);
  return ((await answer.json()) as {token: string}).token;
}

const asking = new Map<number, Promise<{result: string}>>();

/** Ask the merchant, once for each time the app asks, however often its question comes. */
function scopes(id: number, wanted: readonly string[]): Promise<{result: string}> {
  const known = asking.get(id) ?? agreed(wanted);
  asking.set(id, known);
  return known;
}

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
  if (!data.want) return;
  const answer = data.want === 'scopes' ? await scopes(data.id, data.scopes ?? []) : await idToken();
  frame.contentWindow?.postMessage({kind: data.kind, id: data.id, answer}, appOrigin);
});

export {};
