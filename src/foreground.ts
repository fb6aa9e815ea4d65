/** Runs a command in the foreground with the streams of this process, as a shell would. */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { CloudCliError } from './errors.js';

const forwarded = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
  'SIGCONT',
] as const;
/** What a terminal itself sends to everything in its foreground, the child included. */
const fromTerminal: readonly string[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH'];

/**
 * Resolves to the command's exit status, or 128 and the number of the signal that ended it.
 * @throws CloudCliError `not_found` when there is no such command
 */
export async function runInForeground(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { spawn } = await import('node:child_process');
  const [file = '', ...args] = argv;
  let child: ChildProcess | undefined;
  const forward = (signal: NodeJS.Signals) => {
    if (!(process.stdin.isTTY && fromTerminal.includes(signal))) child?.kill(signal);
  };
  const end = () => child?.kill();
  for (const signal of forwarded) process.on(signal, forward);
  process.on('exit', end);
  try {
    return await new Promise((resolve, reject) => {
      // Only now: a signal that comes while the child starts would end this process, and leave the child behind.
      child = spawn(file, args, { env, stdio: 'inherit' });
      child.once('exit', (status, signal) => resolve(signal ? 128 + constants.signals[signal] : status!));
      // Once it has started, an error is that of a signal that could not be sent.
      const isStarted = child.pid !== undefined;
      child.on('error', (error) => isStarted || reject(error));
    });
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new CloudCliError('not_found', `${file} cannot be run (${code})`, {
      hint: 'Check that the command is on PATH and executable.',
    });
  } finally {
    process.off('exit', end);
    for (const signal of forwarded) process.off(signal, forward);
  }
}
