/** The browser's session storage as a pixel gets it. */
interface Store {
  getItem(key: string): Promise<unknown>;
  setItem(key: string, value: unknown): Promise<unknown>;
}

/** More than this is a page that loops or a robot. */
export const MOST_EVENTS = 500;
const KEY = 'tillwise_events';

export interface Visit {
  /** Return whether one more event may be sent in this visit; the same id may not. */
  admit(id: string): Promise<boolean>;
}

/** Return this visit's count, which lives as long as the browser's tab and is first touched when an event is admitted. */
export function createVisit(store: Store, most = MOST_EVENTS): Visit {
  const ids = new Set<string>();
  let before: Promise<number> | undefined;
  return {
    async admit(id) {
      if (ids.has(id)) return false;
      ids.add(id);
      const rank = ids.size;
      before ??= readCount(store);
      const count = (await before) + rank;
      if (count > most) return false;
      void writeCount(store, count);
      return true;
    },
  };
}

async function readCount(store: Store): Promise<number> {
  try {
    return Number(await store.getItem(KEY)) || 0;
  } catch {
    return 0;
  }
}

async function writeCount(store: Store, count: number): Promise<void> {
  try {
    await store.setItem(KEY, String(count));
  } catch {
    // Then the cap holds for each page.
  }
}
