import {afterAll} from 'vitest';

/** Longer than Preact puts an effect off for: one that runs after the page is gone would be an error of nobody's. */
const EFFECTS_MS = 150;

afterAll(async () => {
  if ('document' in globalThis) await new Promise((done) => setTimeout(done, EFFECTS_MS));
});
