import {parseAnswer, type Answer} from './answer.ts';
import type {Question} from './question.ts';

/** The Shopify CLI writes the app's address in when it builds. */
const APP_URL = (process.env.APP_URL ?? '').replace(/\/+$/, '');

export const TIMEOUT_MS = 2000;

export interface Asking {
  /** A fresh session token for every call: it lives for minutes, a checkout for longer. */
  token: () => Promise<string>;
  signal?: AbortSignal;
  timeout_ms?: number;
}

/** Return the answer, or null when no usable one came in time. Never throws: the checkout goes on. */
export async function ask(question: Question, {token, signal, timeout_ms = TIMEOUT_MS}: Asking): Promise<Answer | null> {
  const given = new AbortController();
  const giveUp = () => given.abort();
  const timer = setTimeout(giveUp, timeout_ms);
  signal?.addEventListener('abort', giveUp);
  try {
    return await Promise.race([post(question, token, given.signal), never(given.signal)]);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
}

async function post(question: Question, token: () => Promise<string>, signal: AbortSignal): Promise<Answer | null> {
  const response = await fetch(`${APP_URL}/api/personalize`, {
    method: 'POST',
    headers: {'Content-Type': 'application/json', Authorization: `Bearer ${await token()}`},
    body: JSON.stringify(question),
    signal,
  });
  return response.status === 200 ? parseAnswer(await response.json()) : null;
}

/** Reject when the signal does: a token that never comes must not hold the skeleton up. */
function never(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('No answer in time'))));
}
