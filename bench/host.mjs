/** A host of so many megabytes: how its helper compares with spawning from the host itself. Prints JSON. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSpawnHelper } from '@alphaswarm/cloud-cli';
import { bare, throughput } from './flight.mjs';
import { standIns } from './lab.mjs';
import { minter } from './mint.mjs';
import { compare } from './pairs.mjs';

const [megabytes, what, pairs, directory] = process.argv.slice(2);
let last = 0;
const lab = {
  fresh: (name) => {
    last += 1;
    return `${directory}/host-${process.pid}-${last}-${name}`;
  },
  later: () => {},
};
// Before the memory: a helper is opened when its host starts.
const spawner = await openSpawnHelper();
// Written to, page by page, since a fork copies the tables of what is there alone.
const memory = Array.from({ length: Number(megabytes) / 64 }, () => Buffer.alloc(64 << 20, 1));
const env = { ...process.env, PATH: standIns, BENCH_SLEEP: what === 'throughput' ? '0.05' : '' };
const withHelper = await minter(lab, { encrypted: true, env, spawner });
const without = await minter(lab, { encrypted: true, env });

/** The longest that the event loop stood still during a mint, in milliseconds. */
async function stop(mintOne) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await sleep(5);
  delay.reset();
  await mintOne();
  await sleep(5);
  delay.disable();
  // The resolution is a millisecond, which is no stop.
  return Math.max(delay.max / 1e6 - 1, 0.01);
}

const result =
  what === 'throughput'
    ? await compare({
        ours: () => throughput(withHelper, 32, 128),
        other: () => throughput(bare, 32, 32),
        pairs: Number(pairs),
        unit: '/s',
      })
    : await compare({ ours: () => stop(withHelper), other: () => stop(without), pairs: Number(pairs) });
console.log(JSON.stringify({ ...result, megabytes: memory.length * 64 }));
await spawner.close();
