/**
 * A stand-in for Shopify's App Bridge script, for the embedded app in the dev store's admin:
 * `shopify.idToken()`, the pickers, the save bar, and a fetch that sends the token along to the app's own server.
 */

interface Given {
  readonly kind: 'devstore-app-bridge';
  readonly id: number;
  readonly answer: unknown;
  readonly pressed?: 'save' | 'discard';
}

const ASK_AGAIN_MS = 250;

const script = document.currentScript as HTMLScriptElement | null;
const store = new URL(script?.src ?? location.href).origin;
const waiting = new Map<number, (answer: unknown) => void>();
const plainFetch = window.fetch.bind(window);
let last = 0;

addEventListener('message', ({origin, data}: MessageEvent<Given>) => {
  if (origin !== store || data.kind !== 'devstore-app-bridge') return;
  if (data.pressed) return press(data.pressed);
  waiting.get(data.id)?.(data.answer);
  waiting.delete(data.id);
});

/** Ask until there is an answer: a quick app is there before the admin's own script listens. */
function asked<Answer>(want: string, about?: unknown): Promise<Answer> {
  return new Promise((done) => {
    const id = ++last;
    const ask = (): void => parent.postMessage({kind: 'devstore-app-bridge', id, want, about}, store);
    const again = setInterval(ask, ASK_AGAIN_MS);
    waiting.set(id, (answer) => {
      clearInterval(again);
      done(answer as Answer);
    });
    ask();
  });
}

/** Press the button of the app's `ui-save-bar` that the admin's own bar stands for. */
function press(which: 'save' | 'discard'): void {
  document.querySelector<HTMLElement>(`ui-save-bar button${which === 'save' ? '[variant=primary]' : ':not([variant])'}`)?.click();
}

async function tell(saveBar: boolean): Promise<void> {
  parent.postMessage({kind: 'devstore-app-bridge', saveBar}, store);
}

const idToken = (): Promise<string> => asked('idToken');

/** Say who is calling when the call goes to the app itself and does not say so already. */
async function signedFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const own = new URL(request.url).origin === location.origin;
  if (own && !request.headers.has('Authorization')) {
    request.headers.set('Authorization', `Bearer ${await idToken()}`);
  }
  const answer = await plainFetch(request.clone());
  if (answer.headers.get('X-Shopify-Retry-Invalid-Session-Request') !== '1') return answer;
  request.headers.set('Authorization', `Bearer ${await idToken()}`);
  return plainFetch(request);
}

/** A bounce page says where to go once there is a token: `shopify-reload` names the address. */
async function reload(): Promise<void> {
  const address = new URL(location.href).searchParams.get('shopify-reload');
  if (!address) return;
  const target = new URL(address, location.href);
  target.searchParams.set('id_token', await idToken());
  location.replace(target);
}

const apiKey = document.querySelector<HTMLMetaElement>('meta[name="shopify-api-key"]')?.content ?? script?.dataset['apiKey'] ?? '';
Object.assign(window, {
  shopify: {
    config: {apiKey, shop: new URL(location.href).searchParams.get('shop') ?? '', locale: 'en-US'},
    environment: {embedded: parent !== window, mobile: false, pos: false},
    idToken,
    scopes: {request: (scopes: readonly string[]) => asked<{result: string}>('scopes', scopes)},
    resourcePicker: (wanted: unknown) => asked<unknown>('products', wanted),
    saveBar: {show: () => tell(true), hide: () => tell(false)},
    loading: () => undefined,
    toast: {show: (message: string) => parent.postMessage({kind: 'devstore-app-bridge', toast: message}, store)},
  },
});
window.fetch = signedFetch;
void reload();

export {};
