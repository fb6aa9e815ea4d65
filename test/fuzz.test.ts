/** Everything that reads input from outside, fuzzed for a moment: every seed, and what comes of them. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { collect, root } from './support.js';

const files = readdirSync(join(root, 'test/fuzz/targets')).filter((name) => name !== 'index.ts');

it('finds nothing in any of them', { timeout: 300_000 }, async () => {
  // A new seed each time is for whoever looks for something: `npm run fuzz`.
  const args = [join(root, 'test/fuzz/run.mjs'), '--seconds', '2', '--seed', '1'];
  const { code, stdout, stderr } = await collect(
    spawn(process.execPath, args, { env: { PATH: process.env.PATH } }),
  );
  expect([code, stderr]).toEqual([0, '']);
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0])
      .toSorted(),
  ).toEqual(files.map((name) => name.replace('.ts', '')).toSorted());
});
