/** The worker's own global, typed for the few things used of it. */
import type {Boot, Happened, Mutation} from '../messages.ts';

interface Scope {
  onmessage: ((event: MessageEvent<Boot | Happened>) => void) | null;
  postMessage(message: Mutation): void;
  shopify: unknown;
}

export const scope = globalThis as unknown as Scope;

/** Run a built bundle in the global scope, named in stack traces as its address. */
export function run(code: string, scriptUrl: string): void {
  (0, eval)(`${code}\n//# sourceURL=${scriptUrl}`);
}

/** Let a rejected promise reach worker.onerror, which hears only what is thrown. */
export function fail(error: unknown): void {
  setTimeout(() => {
    throw error;
  });
}

globalThis.addEventListener('unhandledrejection', (event) => fail(event.reason));
