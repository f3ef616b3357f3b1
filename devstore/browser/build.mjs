// Bundles every script and style sheet of the dev store's pages into dist/.
import {build} from 'esbuild';

const folder = new URL('.', import.meta.url).pathname;

await build({
  absWorkingDir: folder,
  entryPoints: {
    'frame': 'src/frame.ts',
    'realm': 'src/realm.ts',
    'extension-worker': 'src/worker/extension.ts',
    'pixel-worker': 'src/worker/pixel.ts',
    'storefront': 'src/page/storefront.ts',
    'checkout': 'src/page/checkout.ts',
    'admin': 'src/page/admin.ts',
    'panel': 'src/page/panel.ts',
    'app-bridge': 'src/app-bridge.ts',
    'frame-look': 'src/styles/frame.css',
    'store': 'src/styles/store.css',
    'pay': 'src/styles/pay.css',
    'tools': 'src/styles/tools.css',
  },
  outdir: 'dist',
  bundle: true,
  format: 'iife',
  target: 'es2022',
  minify: true,
  sourcemap: 'linked',
  logLevel: 'warning',
});
