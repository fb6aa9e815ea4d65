/** A spinner with the seconds that have gone by, on a terminal only. */
import { monotonicMs } from '../monotonic.js';
import { type Io, isInteractive } from './io.js';

/** What a mint's spinner says: how much of the vendor CLI's time is gone. */
export function mintingOf(seconds: number): (elapsed: number) => string {
  return (elapsed) => `minting, ${elapsed} s of ${seconds} s, Ctrl-C stops`;
}

/**
 * Runs work on many events under a spinner that says how many are done; `count` is told now and then.
 */
export async function withCount<T>(
  io: Io,
  verb: string,
  work: (count: (events: number) => void) => Promise<T>,
): Promise<T> {
  let done = 0;
  const count = (events: number) => {
    done = events;
  };
  const words = () => `${verb}, ${done.toLocaleString('en')} events`;
  return withSpinner(io, { words, signal: new AbortController().signal }, () => work(count));
}

/** Runs `work` under a spinner whose words are made anew each second. */
export async function withSpinner<T>(
  io: Io,
  { words, signal }: { words: (elapsed: number) => string; signal: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  if (!isInteractive(io)) return work();
  // No script has a use for these.
  const [{ default: ora }, { lookOf }] = await Promise.all([import('ora'), import('./look.js')]);
  const look = lookOf(io);
  const started = monotonicMs();
  const text = () => (signal.aborted ? 'stopping' : words(Math.floor((monotonicMs() - started) / 1000)));
  const spinner = ora({
    text: text(),
    stream: io.stderr as NodeJS.WriteStream,
    // With stdin left alone, Ctrl-C is a signal.
    discardStdin: false,
    isEnabled: look.animated,
    spinner: look.unicode ? 'dots' : 'line',
    color: look.color ? 'cyan' : false,
  }).start();
  const show = () => {
    spinner.text = text();
  };
  const tick = setInterval(show, 1000);
  signal.addEventListener('abort', show, { once: true });
  try {
    return await work();
  } finally {
    clearInterval(tick);
    signal.removeEventListener('abort', show);
    spinner.stop();
  }
}
