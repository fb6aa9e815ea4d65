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
    // Many tests spawn real processes on two shared cores, and wait for them more than they compute. A limit is there for
    // what never ends, and is longer than each wait of a test (until).
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 3,
  },
});
