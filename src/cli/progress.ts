/** A spinner with the elapsed time, on a terminal only. */
import { type Io, isInteractive } from './io.js';

export async function withSpinner<T>(io: Io, text: string, work: () => Promise<T>): Promise<T> {
  if (!isInteractive(io)) return work();
  const { default: ora } = await import('ora');
  const started = performance.now();
  const words = () => `${text} (${Math.floor((performance.now() - started) / 1000)} s)`;
  const spinner = ora({ text: words(), stream: process.stderr, discardStdin: false }).start();
  const tick = setInterval(() => {
    spinner.text = words();
  }, 1000);
  try {
    return await work();
  } finally {
    clearInterval(tick);
    spinner.stop();
  }
}
