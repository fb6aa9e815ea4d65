/** Runs a command in the foreground with the streams of this process, as a shell would. */
import { constants } from 'node:os';

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

/** How a command ended; `why` it was not run, such as ENOENT, where it was not. */
export interface ForegroundEnding {
  /** Its exit status, or 128 and the number of the signal that ended it; where it was not run, as of env(1) or a shell. */
  status: number;
  why?: string;
}

/** Runs the command to its end. */
export async function runInForeground(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<ForegroundEnding> {
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
    if (signal) return { status: 128 + constants.signals[signal as NodeJS.Signals] };
    if (exitCode !== undefined) return { status: exitCode };
    const why = file === '' ? 'ENOENT' : (code ?? 'unknown');
    return { status: why === 'ENOENT' ? 127 : 126, why };
  } finally {
    for (const signal of forwarded) process.off(signal, forward);
  }
}
