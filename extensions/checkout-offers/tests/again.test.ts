import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {askAgain, MOST_QUESTIONS} from '../src/again.ts';
import {upsell} from './offers.ts';

const never = new AbortController().signal;
const help = upsell({kind: 'banner', product: undefined});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('nobody is asked when it is not worth it', async () => {
  const ask = vi.fn();
  expect(await askAgain(undefined, ask, never)).toEqual([]);
  expect(ask).not.toHaveBeenCalled();
});

test('it asks when the time is over, and no sooner', async () => {
  const ask = vi.fn(async () => ({offers: [help]}));
  const found = askAgain(60, ask, never);
  await vi.advanceTimersByTimeAsync(59_999);
  expect(ask).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(await found).toEqual([help]);
});

test('it asks on while answers say so, and stops at the first that has something to say', async () => {
  const answers = [{offers: [], again_s: 10}, {offers: [help], again_s: 10}];
  const ask = vi.fn(async () => answers[ask.mock.calls.length - 1]!);
  const found = askAgain(5, ask, never);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await found).toEqual([help]);
  expect(ask).toHaveBeenCalledTimes(2);
});

test.each([
  ['an answer that does not say so', {offers: []}],
  ['no answer', null],
])('it stops at %s', async (_, answer) => {
  const ask = vi.fn(async () => answer);
  const found = askAgain(5, ask, never);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await found).toEqual([]);
  expect(ask).toHaveBeenCalledTimes(1);
});

test('an app that always wants to be asked again is asked so many times', async () => {
  const ask = vi.fn(async () => ({offers: [], again_s: 1}));
  const found = askAgain(1, ask, never);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(await found).toEqual([]);
  expect(ask).toHaveBeenCalledTimes(MOST_QUESTIONS);
});

test('a checkout that changed meanwhile asks by itself', async () => {
  const changed = new AbortController();
  const ask = vi.fn();
  const found = askAgain(60, ask, changed.signal);
  changed.abort();
  expect(await found).toEqual([]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ask).not.toHaveBeenCalled();
});
