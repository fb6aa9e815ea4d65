/** Many mints at once, by a vendor's CLI that takes 50 ms, against `execFile` with as many; and what large hosts stop. */
import { join } from 'node:path';
import { awsArgv, exec, here, standIns } from './lab.mjs';
import { minter } from './mint.mjs';
import { compare } from './pairs.mjs';

const env = { ...process.env, PATH: standIns, BENCH_SLEEP: '0.05' };

/** As `execFile` runs the vendor's CLI, with the same pipes. */
export const bare = () => exec(join(here, 'bin/aws'), awsArgv, { env });

/** Calls a second, with `width` of them in flight. */
export async function throughput(call, width, calls) {
  let left = calls;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (; left > 0; ) {
        left -= 1;
        await call();
      }
    }),
  );
  return (calls * 1000) / (performance.now() - start);
}

const inFlight = (width, encrypted, goal) => ({
  name: `${width} in flight, ${encrypted ? 'encrypted store' : 'ledger only'} / execFile, calls a second`,
  goal,
  atLeast: true,
  async run(lab, pairs = 20) {
    const mintOne = await minter(lab, { encrypted, env });
    return compare({
      ours: () => throughput(mintOne, width, width * 2),
      other: () => throughput(bare, width, width * 2),
      pairs,
      unit: '/s',
    });
  },
});

/** In a process of its own that has as much memory as a busy controller. */
const onHost =
  (megabytes, what, pairs) =>
  async (lab, given = pairs) => {
    const args = [join(here, 'host.mjs'), String(megabytes), what, String(given), lab.directory];
    const { stdout } = await exec(process.execPath, args, { maxBuffer: 1 << 20 });
    return JSON.parse(stdout);
  };

export const flightRows = [
  inFlight(32, false, 0.9),
  inFlight(128, false, 0.9),
  inFlight(32, true, 0.4),
  inFlight(128, true, 0.4),
  {
    name: '32 in flight, encrypted store, helper, 1.5 GB host / execFile',
    goal: 10,
    atLeast: true,
    run: onHost(1536, 'throughput', 5),
  },
  { name: 'event-loop stop a mint, 1 GB host, helper on / off', goal: 0.05, run: onHost(1024, 'stop', 20) },
];
