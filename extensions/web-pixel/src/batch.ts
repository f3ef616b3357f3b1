import type {TrackedEvent} from './events.ts';

export interface Batch {
  add(event: TrackedEvent, urgent: boolean): void;
  /** Forget what waits to be sent. */
  clear(): void;
}

export interface Limits {
  events: number;
  /** A browser refuses to outlive its page with more than 64 KB. */
  bytes: number;
  wait_ms: number;
}

export const LIMITS: Limits = {events: 20, bytes: 48_000, wait_ms: 1000};

/** Return a batch that sends its events when it is full, when an urgent one comes, or after a while. */
export function createBatch(send: (events: TrackedEvent[]) => void, limits: Limits = LIMITS): Batch {
  let waiting: TrackedEvent[] = [];
  let bytes = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function clear() {
    clearTimeout(timer);
    timer = undefined;
    waiting = [];
    bytes = 0;
  }

  function flush() {
    const events = waiting;
    clear();
    if (events.length) send(events);
  }

  return {
    clear,
    add(event, urgent) {
      const size = new TextEncoder().encode(JSON.stringify(event)).length;
      if (bytes + size > limits.bytes) flush();
      waiting.push(event);
      bytes += size;
      if (urgent || waiting.length >= limits.events) flush();
      else timer ??= setTimeout(flush, limits.wait_ms);
    },
  };
}
