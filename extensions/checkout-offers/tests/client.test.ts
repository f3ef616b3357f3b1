import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {ask, TIMEOUT_MS} from '../src/client.ts';
import type {Question} from '../src/question.ts';
import {answer, upsell} from './offers.ts';

const QUESTION: Question = {
  surface: 'checkout',
  locale: 'en',
  cart: {currency: 'USD', subtotal: '3.00', lines: [], codes: []},
  consent: {analytics: false, marketing: false, preferences: false, sale_of_data: false},
};
const token = async () => 'fresh';
const reply = (body: string, status = 200) => vi.fn<typeof fetch>(async () => new Response(body, {status}));
const forever = () => new Promise<never>(() => undefined);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('the question goes to the app with a fresh session token', async () => {
  const fetch = reply(JSON.stringify(answer()));
  vi.stubGlobal('fetch', fetch);
  expect(await ask(QUESTION, {token})).toEqual({offers: [upsell()]});
  const [address, request] = fetch.mock.calls[0]!;
  expect(address).toBe('https://app.example.test/api/personalize');
  expect(request).toMatchObject({method: 'POST', headers: {Authorization: 'Bearer fresh', 'Content-Type': 'application/json'}});
  expect(JSON.parse(String(request?.body))).toEqual(QUESTION);
});

test('every question asks for its own token', async () => {
  vi.stubGlobal('fetch', reply(JSON.stringify(answer())));
  const tokens = vi.fn(token);
  await ask(QUESTION, {token: tokens});
  await ask(QUESTION, {token: tokens});
  expect(tokens).toHaveBeenCalledTimes(2);
});

describe('no usable answer is null, never an error', () => {
  test.each([
    [401, JSON.stringify(answer())],
    [500, '{}'],
    [202, JSON.stringify(answer())],
    [200, '<html>Bad gateway</html>'],
    [200, ''],
    [200, '{"offers": 3}'],
  ])('%i %s', async (status, body) => {
    vi.stubGlobal('fetch', reply(body, status));
    expect(await ask(QUESTION, {token})).toBeNull();
  });

  test('a network that fails', async () => {
    vi.stubGlobal('fetch', vi.fn(async () => Promise.reject(new TypeError('Failed to fetch'))));
    expect(await ask(QUESTION, {token})).toBeNull();
  });

  test('a token that is refused', async () => {
    vi.stubGlobal('fetch', reply(JSON.stringify(answer())));
    expect(await ask(QUESTION, {token: async () => Promise.reject(new Error('no token'))})).toBeNull();
  });

  test.each([
    ['an app', async () => 'fresh', forever],
    ['a token', forever, forever],
    ['a body', async () => 'fresh', async () => ({status: 200, json: forever})],
  ])('%s that does not come in time', async (_, slowToken, slowFetch) => {
    vi.stubGlobal('fetch', slowFetch);
    const asked = ask(QUESTION, {token: slowToken});
    await vi.advanceTimersByTimeAsync(TIMEOUT_MS);
    expect(await asked).toBeNull();
  });

  test('a time-out of one’s own', async () => {
    vi.stubGlobal('fetch', forever);
    const asked = ask(QUESTION, {token, timeout_ms: 50});
    await vi.advanceTimersByTimeAsync(50);
    expect(await asked).toBeNull();
  });
});

test('giving up stops the request', async () => {
  let stopped = false;
  vi.stubGlobal('fetch', (_: string, {signal}: RequestInit) => {
    signal?.addEventListener('abort', () => (stopped = true));
    return forever();
  });
  const caller = new AbortController();
  const asked = ask(QUESTION, {token, signal: caller.signal});
  await vi.advanceTimersByTimeAsync(1);
  caller.abort();
  expect(await asked).toBeNull();
  expect(stopped).toBe(true);
});
