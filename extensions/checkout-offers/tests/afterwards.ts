import {afterAll, beforeAll} from 'vitest';

/** Longer than Preact puts an effect off for: one that runs after the page is gone would be an error of nobody's. */
const EFFECTS_MS = 150;
/** What a page comes to is waited for on a busy machine, too. */
const PATIENCE_MS = 30_000;

const onPage = () => 'document' in globalThis;

beforeAll(async () => {
  if (onPage()) (await import('@testing-library/preact')).configure({asyncUtilTimeout: PATIENCE_MS});
});

afterAll(async () => {
  if (onPage()) await new Promise((done) => setTimeout(done, EFFECTS_MS));
});
