/** Cuts the power amid a run that was traced: makes the disk as it may be then, and has a witness look at it. */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Disk } from './disk.mjs';
import { seeded } from './random.mjs';

/** The cut of a schedule, just before the call at its point. */
export async function cutPower(lane, schedule, traced, directory) {
  const { point } = schedule.faults[0];
  const at = traced.trace.findIndex((call) =>
    Object.entries(point).every(([name, value]) => call[name] === value),
  );
  const { seed, keeps } = schedule.cut;
  const random = seeded(seed);
  const violations = await lookAfter(lane, traced, schedule, at, directory, () => random.chance(keeps));
  return { violations, results: [], died: 'power cut', hit: at >= 0 };
}

/** What is broken where the power goes just before call number `at`, and of what nobody had synced only what `keeps` says is there. */
export async function lookAfter(lane, traced, schedule, at, directory, keeps) {
  const answered = answeredBefore(traced, at);
  diskAt(traced, at).write(directory, keeps);
  const record = join(traced.directory, 'record');
  if (answered.spawned && existsSync(record)) cpSync(record, join(directory, 'record'));
  const violations = await lane.ask({
    check: { directory, schedule, results: [], started: traced.started, ...answered },
  });
  rmSync(directory, { recursive: true, force: true });
  return violations;
}

/** The disk after the first `at` calls of a trace. */
export function diskAt({ trace, directory, template }, at) {
  const disk = new Disk(directory);
  if (template) put(disk, join(template, 'home'), join(directory, 'home'));
  for (const call of trace.slice(0, at)) disk.apply(call);
  return disk;
}

function answeredBefore({ trace, run_id }, at) {
  const done = trace.slice(0, at);
  const reached = (mark) => done.some((call) => call.mark === mark && call.call === 'mark');
  const kinds = [
    ['recorded', 'PENDING'],
    ['issued', 'ISSUED'],
    ['closed', reached('SUCCEEDED') ? 'SUCCEEDED' : 'FAILED'],
  ];
  return {
    spawned: done.some(({ call }) => call === 'fork'),
    acknowledged: kinds.filter(([mark]) => reached(mark)).map(([, kind]) => ({ kind, run_id })),
    persisted: reached('persisted') ? run_id : undefined,
  };
}

function put(disk, from, to) {
  const isDirectory = statSync(from).isDirectory();
  disk.put(to, isDirectory ? undefined : readFileSync(from));
  if (isDirectory) for (const name of readdirSync(from)) put(disk, join(from, name), join(to, name));
}
