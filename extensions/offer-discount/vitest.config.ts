import {defineConfig} from 'vitest/config';

export default defineConfig({test: {name: 'offer-discount', environment: 'node'}});
