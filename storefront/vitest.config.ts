import {defineConfig} from 'vitest/config';
import {appProxy} from './app-proxy.mjs';

export default defineConfig({
  define: {PROXY: JSON.stringify(appProxy())},
  test: {name: 'storefront', environment: 'jsdom', testTimeout: 60_000},
});
