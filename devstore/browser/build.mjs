// Bundles every script and style sheet of the dev store's pages into dist/, from where they may be being served:
// what did not change is not written, what did is there from one moment to the next.
import {mkdir, readFile, rename, writeFile} from 'node:fs/promises';
import {dirname} from 'node:path';
import {build} from 'esbuild';

const {outputFiles} = await build({
  absWorkingDir: import.meta.dirname,
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
  write: false,
  bundle: true,
  format: 'iife',
  target: 'es2022',
  minify: true,
  sourcemap: 'linked',
  logLevel: 'warning',
});

for (const {path, contents} of outputFiles) {
  const before = await readFile(path).catch(() => undefined);
  if (before && Buffer.compare(before, contents) === 0) continue;
  await mkdir(dirname(path), {recursive: true});
  const written = `${path}.${process.pid}`;
  await writeFile(written, contents);
  await rename(written, path);
}
