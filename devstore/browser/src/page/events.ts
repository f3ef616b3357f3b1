/** Customer events as Shopify's pixels receive them: the envelope, the context, the visitor's id. */

const CLIENT_COOKIE = '_shopify_y';
const YEAR_SECONDS = 31_536_000;

export interface Envelope {
  readonly id: string;
  readonly name: string;
  readonly clientId: string;
  readonly timestamp: string;
  readonly seq: number;
  readonly type: 'standard' | 'custom';
  readonly context: object;
  readonly data?: unknown;
  readonly customData?: unknown;
}

export function readCookie(name: string): string {
  const pairs = document.cookie.split('; ').map((pair) => pair.split('='));
  return decodeURIComponent(pairs.find(([key]) => key === name)?.[1] ?? '');
}

export function writeCookie(name: string, value: string, seconds = YEAR_SECONDS): void {
  document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=${seconds}; samesite=lax`;
}

/** Return the id of this browser, made on first use. */
export function clientId(): string {
  const known = readCookie(CLIENT_COOKIE) || crypto.randomUUID();
  writeCookie(CLIENT_COOKIE, known);
  return known;
}

function place(): object {
  const {hash, host, hostname, href, origin, pathname, port, protocol, search} = location;
  return {hash, host, hostname, href, origin, pathname, port, protocol, search};
}

export function context(): object {
  const {innerHeight, innerWidth, outerHeight, outerWidth, scrollX, scrollY, screenX, screenY} = window;
  const {cookieEnabled, language, languages, userAgent} = navigator;
  return {
    document: {characterSet: document.characterSet, location: place(), referrer: document.referrer, title: document.title},
    navigator: {cookieEnabled, language, languages: [...languages], userAgent},
    window: {
      innerHeight, innerWidth, outerHeight, outerWidth, scrollX, scrollY, screenX, screenY,
      pageXOffset: scrollX, pageYOffset: scrollY, location: place(), origin: location.origin,
      screen: {height: screen.height, width: screen.width},
    },
  };
}

let published = 0;

function envelope(name: string, type: Envelope['type']): Envelope {
  published += 1;
  const id = crypto.randomUUID();
  return {id, name, clientId: clientId(), timestamp: new Date().toISOString(), seq: published, type, context: context()};
}

export function standardEvent(name: string, data: unknown): Envelope {
  return {...envelope(name, 'standard'), data};
}

export function customEvent(name: string, customData: unknown): Envelope {
  return {...envelope(name, 'custom'), customData};
}
