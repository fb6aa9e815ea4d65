/** The only file that spawns: one vendor process, its clock, its process group and its two pipes. */
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from './monotonic.js';
import { factsOf, listPids } from './process-table.js';
import type { Secret } from './secret.js';

/** What to spawn. */
export interface Command {
  /** Absolute path of the binary. */
  file: string;
  /** Arguments without the binary's name. */
  argv: readonly (string | Secret)[];
  /** The whole environment of the child. */
  env: Readonly<Record<string, string>>;
  /** Seconds that its whole process group may take. */
  timeout_seconds: number;
  /** Ends it. */
  signal?: AbortSignal | undefined;
}

/** How it ended. stdout and stderr are raw: they may hold secrets, and no message may quote them. */
export type Ending =
  | { how: 'exited'; exit_code: number | null; signal: string | null; stdout: string; stderr: string }
  /** It was stopped by us: the clock ran out, the caller gave up, or it wrote more than may be kept. */
  | { how: 'timeout' | 'cancelled' | 'flooded'; stderr: string }
  /** It never ran; `errno` such as ENOENT or EACCES. */
  | { how: 'not_started'; errno: string };

/** Runs one command to its end, never rejecting: what `mint` spawns with. */
export interface Spawner {
  /** Resolves when nothing of its process group is left. */
  run(command: Command): Promise<Ending>;
}

const keptBytes = 1024 * 1024;
const termGraceMs = 2000;
const pipeGraceMs = 250;
const killGraceMs = 1000;

/** Spawns from this process. */
export const inProcess: Spawner = { run };

/** Groups of running children, which must not outlive a host that exits without waiting for its mints. */
const running = new Set<number>();
process.on('exit', () => {
  for (const group of running) signalGroup(group, 'SIGKILL');
});

async function run({ file, argv, env, timeout_seconds, signal }: Command): Promise<Ending> {
  const { execa } = await import('execa');
  if (signal?.aborted) return { how: 'cancelled', stderr: '' };
  // execa's own timeout, kill and buffering wait for the pipes, which a grandchild can hold for ever.
  const child = execa(file, opened(argv), {
    env,
    extendEnv: false,
    cwd: workingDirectory(),
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: false,
    encoding: 'buffer',
    detached: true,
    cleanup: false,
    reject: false,
    verbose: 'none',
  });
  const group = child.pid;
  if (group === undefined) return { how: 'not_started', errno: (await child).code ?? 'unknown' };
  running.add(group);
  const exited = new Promise<{ exit_code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (exit_code, signal) => resolve({ exit_code, signal }));
  });
  const stop = new AbortController();
  const flood = () => stop.abort('flooded');
  const stdout = keep(child.stdout as Readable, flood);
  const stderr = keep(child.stderr as Readable, flood);
  const clock = setTimeout(() => stop.abort('timeout'), timeout_seconds * 1000);
  const cancel = () => stop.abort('cancelled');
  signal?.addEventListener('abort', cancel, { once: true });
  const stopped = new Promise<'timeout' | 'cancelled' | 'flooded'>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve(stop.signal.reason), { once: true });
  });

  // Its pipes end with it, unless a grandchild holds them: then a short grace is all they get. Where they have ended,
  // the rest of it must not keep this process.
  const drained = async () => {
    // A host that stood still for that long has not looked into the pipes yet: it looks once more.
    const grace = sleep(pipeGraceMs, undefined, { ref: false }).then(turn).then(turn);
    await Promise.race([Promise.all([stdout.ended, stderr.ended]), grace]);
  };

  try {
    const ended = exited.then(async (exit) => {
      await drained();
      return exit;
    });
    const first = await Promise.race([ended, stopped]);
    if (typeof first === 'string') {
      await endGroup(group);
      await drained();
      return { how: first, stderr: stderr.text() };
    }
    if (stop.signal.reason === 'flooded') return { how: 'flooded', stderr: stderr.text() };
    return { how: 'exited', ...first, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    clearTimeout(clock);
    signal?.removeEventListener('abort', cancel);
    child.stdout?.destroy();
    child.stderr?.destroy();
    signalGroup(group, 'SIGKILL');
    running.delete(group);
  }
}

/** Until Node has looked at what has arrived. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The arguments as the process gets them, secrets in the clear. */
export function opened(argv: Command['argv']): string[] {
  return argv.map((item) => (typeof item === 'string' ? item : item.reveal()));
}

/** A deleted working directory would make spawn say ENOENT, as if the binary were missing. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}

/** Keeps a stream's bytes, decoded only when whole, so that no character or secret is cut at a chunk's border. */
function keep(stream: Readable, flood: () => void): { text(): string; ended: Promise<void> } {
  const chunks: Buffer[] = [];
  let kept = 0;
  const ended = new Promise<void>((resolve) => {
    stream.once('close', resolve);
    stream.once('end', resolve);
    stream.on('error', () => resolve());
  });
  stream.on('data', (chunk: Buffer) => {
    const room = keptBytes - kept;
    if (room > 0) chunks.push(chunk.subarray(0, room));
    kept += chunk.length;
    if (kept > keptBytes) flood();
  });
  return { text: () => Buffer.concat(chunks).toString('utf8'), ended };
}

/** SIGTERM to the whole group, SIGKILL to what is left of it after two seconds, and a look that it is gone. */
async function endGroup(group: number): Promise<void> {
  signalGroup(group, 'SIGTERM');
  if (await isGone(group, termGraceMs)) return;
  signalGroup(group, 'SIGKILL');
  await isGone(group, killGraceMs);
}

async function isGone(group: number, withinMs: number): Promise<boolean> {
  const deadline = monotonicMs() + withinMs;
  while (signalGroup(group, 0) && !onlyDeadIn(group)) {
    if (monotonicMs() > deadline) return false;
    await sleep(20);
  }
  return true;
}

/** A container's init may never reap: what has exited and still has an entry runs no code and holds no pipe. */
function onlyDeadIn(group: number): boolean {
  const members = listPids()
    .map(factsOf)
    .filter((facts) => facts?.group === group);
  return members.length > 0 && members.every((facts) => facts?.dead);
}

/** Whether the group was there to be signalled. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}
