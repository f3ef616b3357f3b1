/** What the page, the sandboxed frame and the worker inside it post to one another. */

/** Page to frame, with the worker's end of a channel: what to run, and what to tell it first. */
export interface Boot {
  readonly kind: 'boot';
  readonly worker: string;
  readonly code: string;
  readonly scriptUrl: string;
  readonly config: unknown;
  /** Whether the browser reports Global Privacy Control. */
  readonly gpc: boolean;
}

/** Frame to page. */
export type FromFrame =
  | {readonly kind: 'ready'}
  | {readonly kind: 'height'; readonly height: number}
  | {readonly kind: 'failed'; readonly message: string};

/** Worker to frame: changes of the remote tree, its listeners replaced by numbers. */
export interface Mutation {
  readonly kind: 'mutation';
  readonly records: readonly unknown[];
}

/** Frame to worker: someone did something to an element. */
export interface Happened {
  readonly kind: 'happened';
  readonly listener: number;
  readonly detail: unknown;
}

/** Stands for a function on its way between worker and frame. */
export interface Listener {
  readonly $listener: number;
}
