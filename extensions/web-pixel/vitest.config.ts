import {defineConfig} from 'vitest/config';

export default defineConfig({
  define: {'process.env.APP_URL': JSON.stringify('https://app.example.test')},
  test: {name: 'web-pixel', environment: 'node'},
});
