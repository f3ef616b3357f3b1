/** The browser's session storage as a pixel gets it. */
interface Store {
  getItem(key: string): Promise<unknown>;
  setItem(key: string, value: unknown): Promise<unknown>;
  removeItem(key: string): Promise<unknown>;
}

/** More than this is a page that loops or a robot. */
export const MOST_EVENTS = 500;
const KEY = 'tillwise_events';

export interface Visit {
  /** Return whether one more event may be sent in this visit; the same id may not. */
  admit(id: string): Promise<boolean>;
  /** Leave nothing of the visit in the browser. */
  forget(): void;
}

/** Return this visit's count, which lives as long as the browser's tab and is first touched when an event is admitted. */
export function createVisit(store: Store, most = MOST_EVENTS): Visit {
  let ids = new Set<string>();
  let before: Promise<number> | undefined;
  let writing: Promise<void> = Promise.resolve();
  return {
    async admit(id) {
      if (ids.has(id)) return false;
      ids.add(id);
      const rank = ids.size;
      before ??= readCount(store);
      const count = (await before) + rank;
      if (count > most) return false;
      if (!ids.has(id)) return false; // forgotten while the count was read
      writing = writing.then(() => writeCount(store, count));
      return true;
    },
    forget() {
      ids = new Set();
      before = undefined;
      // Behind the last write, which would bring it back.
      writing = writing.then(() => removeCount(store));
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

async function removeCount(store: Store): Promise<void> {
  try {
    await store.removeItem(KEY);
  } catch {
    // Then it ends with the tab.
  }
}
