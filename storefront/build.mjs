// Bundles the storefront's scripts into the theme app extension, where Shopify takes them as they are:
// one for every page, one that paints offers and one for products, which a page loads once it has some.
import {build} from 'esbuild';
import {appProxy} from './app-proxy.mjs';

const options = {
  absWorkingDir: import.meta.dirname,
  outdir: '../extensions/storefront-embed/assets',
  bundle: true,
  target: 'es2022',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
  define: {PROXY: JSON.stringify(appProxy())},
};

await build({...options, entryPoints: {'tillwise-storefront': 'src/index.ts'}, format: 'iife'});
await build({...options, entryPoints: {'tillwise-offers': 'src/painter.ts', 'tillwise-products': 'src/products.ts'}, format: 'esm'});
