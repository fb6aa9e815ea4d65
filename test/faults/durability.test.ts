/** What `append` and `persist` have answered for survives a power cut at any moment, whatever of the rest the disk kept. */
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bench } from './bench.mjs';
import { diskAt, lookAfter } from './power.mjs';
import { seeded } from './random.mjs';
import { nameOf } from './schedule.mjs';
import { canBuildShim } from './shim.mjs';

interface Call {
  mark: string;
  call: string;
  file: string;
  result: number;
}

const scenarios = [
  { provider: 'aws', word: 'deploy', old: false },
  { provider: 'aws', word: 'deploy', old: true },
  { provider: 'aws', word: 'truncated', old: false },
];

/** How much of what was not synced is there: nothing, some of it by chance, everything. */
const kept = [0, 0.5, 1];
/** Before each of these the disk is another, or more has been answered for. */
const changing = /^(?:write|create|mkdir|rename|link|unlink|truncate|fsync|fork)$/;

function filesBelow(directory: string): Map<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.map((name) => join(directory, name)).filter((path) => statSync(path).isFile());
  return new Map(files.map((path) => [relative(directory, path), readFileSync(path, 'latin1')]));
}

describe.skipIf(!canBuildShim() && process.env.CI !== 'true')('a power cut (needs Linux and gcc)', () => {
  let bench: Bench;
  beforeAll(() => {
    bench = new Bench(3, undefined);
  });
  afterAll(() => bench.end());

  it('comes before the spawn or after PENDING is on the disk', async () => {
    for (const scenario of scenarios) {
      const { trace } = (await bench.traced(scenario)) as { trace: Call[] };
      const at = (call: string, mark: string) =>
        trace.findLastIndex((each) => each.call === call && each.mark === mark);
      const [written, synced, spawned] = [
        at('write', 'PENDING'),
        at('fsync', 'PENDING'),
        at('fork', 'vendor'),
      ];
      expect([written > 0, synced > written, spawned > synced]).toEqual([true, true, true]);
      expect(trace[synced]).toMatchObject({ file: 'wal', result: 0 });
    }
  });

  it('is simulated on what the processes really wrote', async () => {
    for (const scenario of scenarios) {
      const traced = await bench.traced(scenario);
      const copy = join(bench.directory, `copy ${nameOf(scenario)}`);
      mkdirSync(copy);
      diskAt(traced, traced.trace.length).write(copy, () => true);
      expect(filesBelow(join(copy, 'home'))).toEqual(filesBelow(join(traced.directory, 'home')));
      expect(filesBelow(copy).size).toBeGreaterThan(scenario.word === 'deploy' ? 2 : 0);
    }
  });

  it.each(scenarios)(
    'amid a mint of $provider $word, old: $old, loses nothing that was answered for',
    { timeout: 300_000 },
    async (scenario) => {
      const traced = await bench.traced(scenario);
      const trace = traced.trace as Call[];
      const moments = [...trace.keys()].filter((at) => changing.test(trace[at]!.call));
      const cuts = [...moments, trace.length].flatMap((at) => kept.map((keeps) => ({ at, keeps })));
      expect(cuts.length).toBeGreaterThan(150);
      const broken: unknown[] = [];
      await bench.everyLane(async (lane: never) => {
        for (let cut = cuts.pop(); cut; cut = cuts.pop()) {
          const { at, keeps } = cut;
          const random = seeded('power', at, keeps);
          const schedule = { scenario, faults: [] };
          const directory = join(bench.directory, `cut ${at} ${keeps}`);
          const found = await lookAfter(lane, traced, schedule, at, directory, () => random.chance(keeps));
          if (found.length > 0) broken.push({ ...trace[at], data: undefined, keeps, found });
        }
      });
      expect(broken).toEqual([]);
    },
  );
});
