import {defineConfig} from 'vitest/config';

export default defineConfig({
  esbuild: {jsx: 'automatic', jsxImportSource: 'preact'},
  // The Shopify CLI writes the app's address into the bundle; the tests write their own.
  define: {'process.env.APP_URL': JSON.stringify('https://app.example.test/')},
  test: {
    name: 'checkout-offers',
    environment: 'node',
    setupFiles: ['tests/afterwards.ts'],
    testTimeout: 60_000,
    server: {deps: {inline: ['@shopify/ui-extensions-tester']}},
  },
});
