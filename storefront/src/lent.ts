import type {Tools} from './tools.ts';

/** What the script of every page lent this one. */
export let lent: Tools;

export function borrow(tools: Tools): void {
  lent = tools;
}
