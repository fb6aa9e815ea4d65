/** Fuzzes one target after the other, guided by coverage, and stops at the first finding. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { random as randomOf } from '../../fixtures/redaction/generate.js';
import { Coverage } from './coverage.js';
import { mutate, type Random } from './mutate.js';
import type { Target } from './target.js';
import { targets } from './targets/index.js';

/** Between two looks at the coverage, each of which takes milliseconds. */
const mostAtOnce = 200;
const batchMs = 100;

interface Asked {
  seconds: number;
  seed: number;
  /** Where the files of seeds are. */
  seeds: string;
  /** The script whose coverage counts. */
  script: string;
}

/** Resolves to the exit status: 1 for a finding. */
export async function main(argv: string[], places: Pick<Asked, 'seeds' | 'script'>): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      target: { type: 'string', multiple: true },
      seconds: { type: 'string', default: '2' },
      seed: { type: 'string', default: '1' },
      input: { type: 'string' },
    },
  });
  const names = values.target ?? targets.map(({ name }) => name);
  const unknown = names.filter((name) => !targets.some((target) => target.name === name));
  try {
    if (unknown.length > 0) {
      console.error(
        `no target ${unknown.join(', ')}; there are ${targets.map(({ name }) => name).join(', ')}`,
      );
      return 2;
    }
    for (const target of targets.filter(({ name }) => names.includes(name))) {
      const asked = { ...places, seconds: Number(values.seconds), seed: Number(values.seed) };
      if (values.input !== undefined) await target.run(readFileSync(values.input));
      else if (!(await fuzz(target, asked))) return 1;
    }
    return 0;
  } finally {
    // What a target works with is there from the start, whether or not it was asked for.
    for (const target of targets) await target.close?.();
  }
}

async function fuzz(target: Target, { seconds, seed, seeds, script }: Asked): Promise<boolean> {
  const next = randomOf(seed);
  const random: Random = (below) => Math.floor(next() * below);
  const coverage = new Coverage(script);
  const corpus: Buffer[] = [];
  const end = performance.now() + seconds * 1000;
  let runs = 0;
  const holds = async (input: Buffer): Promise<boolean> => {
    runs += 1;
    try {
      await target.run(input);
      return true;
    } catch (error) {
      await tell(target, input, error);
      return false;
    }
  };
  /** Runs one by one, and keeps those that reach something new. */
  const sort = async (inputs: readonly Buffer[]): Promise<boolean> => {
    coverage.look();
    for (const input of inputs) {
      if (!(await holds(input))) return false;
      const ran = coverage.look();
      if (!coverage.isNew(ran)) continue;
      coverage.add(ran);
      corpus.push(input);
    }
    return true;
  };
  const mutated = (): Buffer => {
    // What was found last is where something new may be near.
    const recent = random(2) === 0 ? Math.max(0, corpus.length - 10) : 0;
    const one = corpus[recent + random(corpus.length - recent)] ?? Buffer.alloc(0);
    return mutate(one, corpus[random(corpus.length)] ?? one, target.words, random);
  };
  try {
    const given = seedsOf(target, seeds);
    if (!(await sort(given))) return false;
    if (!coverage.isThere) throw new Error(`nothing of ${script} was seen to run`);
    // A seed that reaches nothing new is there for what is done with it.
    corpus.push(...given.filter((input) => !corpus.includes(input)));
    while (performance.now() < end) {
      const batch: Buffer[] = [];
      coverage.look();
      for (
        const until = performance.now() + batchMs;
        performance.now() < until && batch.length < mostAtOnce;
      ) {
        const input = mutated();
        batch.push(input);
        if (!(await holds(input))) return false;
      }
      const ran = coverage.look();
      if (!coverage.isNew(ran)) continue;
      if (!(await sort(batch))) return false;
      // What does not run a second time, such as the filling of a cache, must not have all run again for ever.
      coverage.add(ran);
    }
    console.log(
      `${target.name.padEnd(14)} ${runs} runs, ${Math.round(runs / seconds)}/s, ${corpus.length} inputs, ${coverage}`,
    );
    return true;
  } finally {
    coverage.close();
  }
}

function seedsOf(target: Target, directory: string): Buffer[] {
  const place = join(directory, target.name);
  const files = existsSync(place) ? readdirSync(place).toSorted() : [];
  return [
    ...files.map((file) => readFileSync(join(place, file))),
    ...target.seeds.map((seed) => Buffer.from(seed as string)),
  ];
}

/** The finding as small as it gets in a few seconds, in a form to keep as a seed. */
async function tell(target: Target, input: Buffer, error: unknown): Promise<void> {
  const words = (one: unknown) => (one instanceof Error ? one.message : String(one)).slice(0, 60);
  const small = await shrunk(
    target,
    input,
    (other) => words(other).slice(0, 24) === words(error).slice(0, 24),
  );
  const name = createHash('sha256').update(small).digest('hex').slice(0, 8);
  console.error(`${target.name}: ${error instanceof Error ? error.stack : String(error)}`);
  console.error(`input, ${small.length} bytes: ${JSON.stringify(small.toString('latin1'))}`);
  console.error(
    `keep it: echo ${small.toString('base64')} | base64 -d >test/fuzz/seeds/${target.name}/${name}`,
  );
}

async function shrunk(target: Target, input: Buffer, isSame: (error: unknown) => boolean): Promise<Buffer> {
  const end = performance.now() + 5000;
  let best = input;
  for (let size = best.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < best.length && performance.now() < end; ) {
      const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      const same = await Promise.resolve()
        .then(() => target.run(shorter))
        .then(() => false, isSame);
      if (same) best = shorter;
      else at += size;
    }
  }
  return best;
}
