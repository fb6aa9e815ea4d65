/** Ctrl-C and its kin: the vendor's process has a group of its own, so they reach it only through us. */
import { exitCodes } from '../errors.js';
import { ExitStatus } from './io.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs `work` with a signal that aborts when this process is asked to end; its reason is the signal's name. */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const abort = (signal: NodeJS.Signals) => controller.abort(signal);
  for (const signal of signals) process.on(signal, abort);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of signals) process.off(signal, abort);
  }
}

/** Runs `work`, which goes on until the signal aborts: the stop of a service is no failure, and Ctrl-C what it is everywhere. */
export async function asService(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stopped = await untilInterrupted(async (signal) => {
    await work(signal);
    return signal.reason;
  });
  if (stopped !== 'SIGTERM') throw new ExitStatus(exitCodes.cancelled);
}
