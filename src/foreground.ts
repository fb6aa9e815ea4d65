/** Runs a command in the foreground with the streams of this process, as a shell would. */
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
  const { execa } = await import('execa');
  const [file = '', ...args] = argv;
  const forward = (signal: NodeJS.Signals) => {
    if (!(process.stdin.isTTY && fromTerminal.includes(signal))) child.kill(signal);
  };
  for (const signal of forwarded) process.on(signal, forward);
  // Only now: a signal that comes while the child starts would end this process, and leave the child behind.
  const child = execa(file, args, {
    env,
    extendEnv: false,
    stdio: 'inherit',
    reject: false,
    verbose: 'none',
    preferLocal: false,
  });
  try {
    const { exitCode, signal, code } = await child;
    if (signal) return 128 + constants.signals[signal as NodeJS.Signals];
    if (exitCode !== undefined) return exitCode;
    throw new CloudCliError('not_found', `${file} cannot be run (${code ?? 'unknown'})`, {
      hint: 'Check that the command is on PATH and executable.',
    });
  } finally {
    for (const signal of forwarded) process.off(signal, forward);
  }
}
