// Fails when a built bundle outgrows its budget. Shopify takes 64 KB compressed for a UI extension
// and 128 KB for a pixel, and says so at deploy only; a checkout deserves less.
import {readFileSync} from 'node:fs';
import {brotliCompressSync} from 'node:zlib';

const KB = 1024;
const BUDGETS = {
  'extensions/checkout-offers/dist/checkout-offers.js': 25 * KB,
  'extensions/web-pixel/dist/web-pixel.js': 10 * KB,
};

/** What a theme may load from an app: 10,000 bytes a script as it is, or theme check refuses it. */
const RAW_BUDGETS = {
  'extensions/storefront-embed/assets/tillwise-storefront.js': 10_000,
  'extensions/storefront-embed/assets/tillwise-offers.js': 10_000,
  'extensions/storefront-embed/assets/tillwise-products.js': 10_000,
};

for (const [path, budget] of Object.entries(RAW_BUDGETS)) {
  const script = read(path);
  if (!script) continue;
  if (script.length >= budget) fail(`${path} is ${script.length} bytes, over its budget of ${budget}`);
  console.log(`${path}: ${script.length} of ${budget} bytes, ${kb(brotliCompressSync(script).length)} compressed`);
}

for (const [path, budget] of Object.entries(BUDGETS)) {
  const bundle = read(path);
  if (!bundle) continue;
  const size = brotliCompressSync(bundle).length;
  if (size > budget) fail(`${path} is ${kb(size)} compressed, over its budget of ${kb(budget)}`);
  if (bundle.includes('process.env.')) fail(`${path} has no app address: build with APP_URL set`);
  console.log(`${path}: ${kb(size)} of ${kb(budget)} compressed`);
}

function read(path) {
  try {
    return readFileSync(path);
  } catch {
    fail(`${path} is missing: npm run build`);
  }
}

function fail(reason) {
  console.error(reason);
  process.exitCode = 1;
}

function kb(bytes) {
  return `${(bytes / KB).toFixed(1)} KB`;
}
