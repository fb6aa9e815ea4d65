import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // What examples/ imports as its reader does, tests run on the sources.
  resolve: {
    alias: [
      {
        find: /^@alphaswarm\/cloud-cli$/,
        replacement: fileURLToPath(new URL('src/index.ts', import.meta.url)),
      },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    // Many tests spawn real processes on two shared cores, and wait for them more than they compute.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 3,
  },
});
