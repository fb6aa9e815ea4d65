/** A file that the system lets grow no further (RLIMIT_FSIZE), at any size: a real limit, where the suite's are simulated. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Child } from './child.mjs';
import { canaries } from './scenario.mjs';
import { canBuildShim } from './shim.mjs';

const scenario = { provider: 'aws', word: 'deploy', old: false };
const schedule = { number: 'limit', scenario, faults: [], given: true, heeds: true, dies: true };

describe.skipIf(!canBuildShim() && process.env.CI !== 'true')(
  'a limit on the size of files (needs Linux)',
  () => {
    it('fails a mint that cannot write, and breaks nothing', { timeout: 300_000 }, async () => {
      const base = mkdtempSync(join(tmpdir(), 'cloud-cli-limit-'));
      const witness = new Child('./witness.mjs', process.env);
      const seen: string[] = [];
      try {
        for (const bytes of [0, 1100, 60_000, 90_000, 200_000]) {
          const directory = join(base, String(bytes));
          mkdirSync(directory, { mode: 0o700 });
          const host = new Child('./host.mjs', process.env, [
            'prlimit',
            `--fsize=${bytes}`,
            process.execPath,
          ]);
          const order = { directory, schedule, scenario, canary: canaries.new };
          const started = Date.now();
          const { results, died } = await host.ask(
            order,
            (message: { results?: unknown }) => message.results,
          );
          expect([bytes, died, host.output]).toEqual([bytes, undefined, '']);
          await host.end();
          const check = { directory, schedule, results, started };
          const { result } = await witness.ask(
            { id: bytes, check },
            ({ id }: { id: number }) => id === bytes,
          );
          expect([bytes, result]).toEqual([bytes, []]);
          seen.push(results[0].envelope ? 'succeeded' : results[0].error.code);
        }
      } finally {
        await witness.end();
        rmSync(base, { recursive: true, force: true, maxRetries: 10 });
      }
      expect(new Set(seen)).toEqual(new Set(['audit_unavailable', 'succeeded']));
    });
  },
);
