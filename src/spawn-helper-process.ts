/** The process behind a spawn helper: it runs what it is sent, and ends, with all it runs, when its channel does. */
import { type Command, type Ending, inProcess } from './run.js';

/** What the helper is sent: a command to run, or word that its caller has given up. */
export type Order = { id: number; command: Omit<Command, 'signal'> } | { id: number; cancel: true };

/** How a command ended. */
export interface Report {
  id: number;
  ending: Ending;
}

const running = new Map<number, AbortController>();

process.on('message', async (order: Order) => {
  if ('cancel' in order) return running.get(order.id)?.abort();
  const abort = new AbortController();
  running.set(order.id, abort);
  const ending = await inProcess.run({ ...order.command, signal: abort.signal });
  running.delete(order.id);
  if (process.connected) process.send?.({ id: order.id, ending } satisfies Report, () => {});
});
// The host is gone or has closed us: run.ts ends the process groups on exit.
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
// What ends the host's group with Ctrl-C is the host's to handle: it cancels its runs one by one.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
process.send?.('ready');
