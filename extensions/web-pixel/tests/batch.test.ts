import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {createBatch, LIMITS} from '../src/batch.ts';
import {consentOf} from '../src/consent.ts';
import {track, type TrackedEvent} from '../src/events.ts';
import {ALL, shopifyEvent} from './shopify.ts';

const tracked = (): TrackedEvent => track(shopifyEvent('page_viewed'), consentOf(ALL));

function collect(limits = LIMITS) {
  const sent: TrackedEvent[][] = [];
  return {sent, batch: createBatch((events) => sent.push(events), limits)};
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('events wait a second for company, and go together', () => {
  const {sent, batch} = collect();
  const events = [tracked(), tracked()];
  for (const event of events) batch.add(event, false);
  vi.advanceTimersByTime(LIMITS.wait_ms - 1);
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(sent).toEqual([events]);
});

test('the wait is counted from the first event', () => {
  const {sent, batch} = collect();
  batch.add(tracked(), false);
  vi.advanceTimersByTime(LIMITS.wait_ms - 1);
  batch.add(tracked(), false);
  vi.advanceTimersByTime(1);
  expect(sent.map((events) => events.length)).toEqual([2]);
});

test('a full batch goes at once', () => {
  const {sent, batch} = collect();
  for (let count = 0; count < 41; count += 1) batch.add(tracked(), false);
  expect(sent.map((events) => events.length)).toEqual([20, 20]);
  vi.runAllTimers();
  expect(sent.map((events) => events.length)).toEqual([20, 20, 1]);
});

test('an urgent event takes the others along', () => {
  const {sent, batch} = collect();
  batch.add(tracked(), false);
  batch.add(tracked(), true);
  expect(sent.map((events) => events.length)).toEqual([2]);
  vi.runAllTimers();
  expect(sent).toHaveLength(1);
});

test('a batch never outgrows what a closing page may send', () => {
  const size = JSON.stringify(tracked()).length;
  const {sent, batch} = collect({...LIMITS, bytes: size * 2 + 20});
  for (let count = 0; count < 3; count += 1) batch.add(tracked(), false);
  expect(sent.map((events) => events.length)).toEqual([2]);
});

test('what is cleared is never sent', () => {
  const {sent, batch} = collect();
  batch.add(tracked(), false);
  batch.clear();
  vi.runAllTimers();
  expect(sent).toEqual([]);
});
