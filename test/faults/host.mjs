/** The process that minted, and that the faults befall: it runs one schedule after the other, as its parent says. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import './broken.mjs';
import { homeOf } from './scenario.mjs';
import { arm, steer } from './shim.mjs';
import { resetClocks, stepClock } from './time.mjs';

const { attempt, reopen } = await import('./attempt.mjs');

let rivalEnded = () => {};

process.on('message', async (order) => {
  if (order === 'rival ended') return rivalEnded();
  process.send({ results: await run(order) });
});
process.on('disconnect', () => process.exit());
process.send('ready');

/** @returns the results of the mint that the faults befell, and of the same again without them */
async function run(order) {
  const { directory, schedule } = order;
  const abort = new AbortController();
  const cancel = () => abort.abort();
  if (schedule.heeds) for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, cancel);
  steer('log', join(directory, 'log'));
  steer('home', directory);
  for (const fault of schedule.faults) if (fault.effect) arm(fault);
  resetClocks({ fast: true });
  const results = [await attempt(order, (mark) => at(mark, order), abort.signal)];
  steer('lift');
  resetClocks({ fast: false });
  for (const signal of ['SIGTERM', 'SIGINT']) process.off(signal, cancel);
  steer('mark', 'again');
  // As the next command does, which closes what a mint of this process had to leave open.
  await reopen(order).catch(() => {});
  if (schedule.again) results.push(await attempt(order));
  // Something that hung may go on now; what it does belongs to this schedule.
  await new Promise((resolve) => setTimeout(resolve, schedule.settleMs ?? 0));
  steer('home');
  steer('log');
  return results;
}

async function at(mark, { directory, schedule }) {
  steer('mark', mark);
  for (const fault of schedule.faults) {
    if (fault.point.mark !== mark) continue;
    if (fault.clock) stepClock(fault.clock, fault.ms);
    if (fault.flip) flip(homeOf(directory), fault);
  }
  if (schedule.rival?.mark !== mark) return;
  const ended = new Promise((resolve) => {
    rivalEnded = resolve;
  });
  process.send('rival');
  if (schedule.rival.waits) await ended;
}

/** Flips one bit of a file, as a bad disk does; where another fault forbids it, nothing happens. */
function flip(home, { flip: end, place }) {
  try {
    const name = readdirSync(home, { recursive: true }).find((path) => path.endsWith(end));
    const content = readFileSync(join(home, name));
    content[Math.floor(place * content.length)] ^= 1 << (Math.floor(place * 997) % 8);
    writeFileSync(join(home, name), content, { flag: 'r+' });
  } catch {
    // The file is not there.
  }
}
