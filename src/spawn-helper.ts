/**
 * Spawns vendor processes from a small process of its own. Forking costs a large host a stop of its event loop that
 * grows with its memory; it costs the helper next to nothing, however large the host is.
 */
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runIdVariable } from './environment.js';
import { endVendorProcesses } from './orphan.js';
import { type Command, type Ending, inProcess, opened, type Spawner } from './run.js';
import type { Order, Report } from './spawn-helper-process.js';

/** A spawner with a process behind it, which ends with `close`, or with this process. */
export interface SpawnHelper extends Spawner {
  /** Ends the process; what it runs is ended with it. */
  close(): Promise<void>;
}

/**
 * Starts a helper, for `mint`'s `spawner`. Commands, secrets and answers pass over a channel that no other process
 * has. A helper that could not start or has died is not missed: commands are then spawned from this process.
 */
export async function openSpawnHelper(): Promise<SpawnHelper> {
  const waiting = new Map<number, (ending: Ending | 'lost') => void>();
  const child = await start((report) => {
    waiting.get(report.id)?.(report.ending);
    waiting.delete(report.id);
  });
  child?.once('exit', () => {
    for (const settle of waiting.values()) settle('lost');
    waiting.clear();
  });
  let lastId = 0;

  return {
    async run(command: Command): Promise<Ending> {
      if (!child?.connected) return inProcess.run(command);
      lastId += 1;
      const id = lastId;
      const { file, env, timeout_seconds, signal } = command;
      if (signal?.aborted) return { how: 'cancelled', stderr: '' };
      const ended = new Promise<Ending | 'lost'>((resolve) => waiting.set(id, resolve));
      const cancel = () => send(child, { id, cancel: true });
      signal?.addEventListener('abort', cancel, { once: true });
      child.ref();
      send(child, { id, command: { file, argv: opened(command.argv), env, timeout_seconds } });
      const ending = await ended;
      signal?.removeEventListener('abort', cancel);
      if (waiting.size === 0) child.unref();
      if (ending !== 'lost') return ending;
      // Nobody minds its clock any more, and what it had been answered by then cannot be known.
      const run_id = env[runIdVariable];
      if (run_id) endVendorProcesses(run_id);
      return { how: 'exited', exit_code: null, signal: 'SIGKILL', stdout: '', stderr: '' };
    },
    async close() {
      if (!child?.connected) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      // Else a process that waits for nothing else would end before this does.
      child.ref();
      child.disconnect();
      await gone;
    },
  };
}

/** The helper once it is ready, or undefined where it cannot start. */
async function start(onReport: (report: Report) => void): Promise<ChildProcess | undefined> {
  const { fork } = await import('node:child_process');
  const file = fileURLToPath(new URL('./spawn-helper-process.js', import.meta.url));
  const child = fork(file, [], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
    execArgv: [],
  });
  const isReady = await new Promise<boolean>((resolve) => {
    child.once('message', () => resolve(true));
    child.once('error', () => resolve(false));
    child.once('exit', () => resolve(false));
  });
  if (!isReady) return undefined;
  child.on('message', onReport);
  child.unref();
  child.channel?.unref();
  return child;
}

/** A channel that closes meanwhile is no failure of its own: the run is then lost, and settled as such. */
function send(child: ChildProcess, order: Order): void {
  if (child.connected) child.send(order, () => {});
}
