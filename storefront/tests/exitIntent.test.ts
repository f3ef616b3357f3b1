import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {flicks, watchLeaving} from '../src/exitIntent.ts';

let left: number;
let stop: () => void;

function watch(hover: boolean, after_ms = 0): void {
  vi.stubGlobal('matchMedia', () => ({matches: hover}));
  left = 0;
  stop = watchLeaving(after_ms, () => left++);
}

function mouseOut(clientY: number, relatedTarget: Element | null = null): void {
  document.dispatchEvent(new MouseEvent('mouseout', {clientY, relatedTarget}));
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  stop?.();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('a mouse that leaves the window at its top is leaving; at its side, or to an element, it is not', () => {
  watch(true);
  mouseOut(300);
  mouseOut(-1, document.body);
  expect(left).toBe(0);
  mouseOut(-1);
  expect(left).toBe(1);
});

test('nobody leaves before they have come', () => {
  watch(true, 5000);
  mouseOut(-1);
  vi.advanceTimersByTime(4999);
  mouseOut(-1);
  expect(left).toBe(0);
  vi.advanceTimersByTime(1);
  mouseOut(-1);
  expect(left).toBe(1);
});

test('once it is stopped nothing is heard', () => {
  watch(true);
  stop();
  mouseOut(-1);
  expect(left).toBe(0);
});

function hide(hidden: boolean): void {
  Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
  document.dispatchEvent(new Event('visibilitychange'));
}

test('with a finger, coming back to a tab that was left for a while is leaving; a glance elsewhere is not', () => {
  watch(false);
  hide(true);
  vi.advanceTimersByTime(9999);
  hide(false);
  expect(left).toBe(0);
  hide(true);
  vi.advanceTimersByTime(10_000);
  hide(false);
  expect(left).toBe(1);
});

test.each([
  ['fast and up to the top', [[0, 0], [2000, 500], [300, 900]], true], // 1700 px in 400 ms
  ['slow', [[0, 0], [2000, 500], [300, 1500]], false], // 1.7 px a millisecond
  ['never far below', [[0, 0], [1500, 500], [100, 600]], false], // less than two screens of 800
  ['not to the top', [[0, 0], [4000, 500], [900, 900]], false],
  ['downwards', [[0, 0], [2000, 100], [4000, 200]], false],
])('a scroll that is %s', (_, moves, leaves) => {
  const judge = flicks();
  expect((moves as [number, number][]).map(([y, now]) => judge(y, now, 800)).includes(true)).toBe(leaves);
});
