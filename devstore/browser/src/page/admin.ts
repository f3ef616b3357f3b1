/** The admin around the embedded app: gives the frame fresh id tokens, and loads it again when asked. */

interface FromApp {
  readonly kind: 'devstore-app-bridge';
  readonly id: number;
  readonly want?: 'idToken';
  readonly toast?: string;
}

const frame = document.querySelector<HTMLIFrameElement>('iframe[data-app]');
const appOrigin = new URL(frame?.src ?? location.href).origin;

async function idToken(): Promise<string> {
  const answer = await fetch(`/admin/id-token${location.search}`, {method: 'POST'});
  if (!answer.ok) throw new Error(`the dev store answered ${answer.status}`);
  return ((await answer.json()) as {token: string}).token;
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
  if (data.want) frame.contentWindow?.postMessage({kind: data.kind, id: data.id, token: await idToken()}, appOrigin);
});

export {};
