/** Signs the ledger's head and publishes it: once, or again and again until stopped. */
import type { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudCliError, type Failure, isCloudCliError } from '../errors.js';
import type { Head } from './chain.js';
import { signHead } from './checkpoint.js';
import type { Publish } from './destination.js';

export interface PublishOptions {
  /** The head as it is now. It should open the ledger anew: a file that was put in the place of the old must show. */
  head: () => Promise<Head>;
  key: KeyObject;
  publish: Publish;
}

export interface ScheduleOptions extends PublishOptions {
  every_seconds: number;
  report: (event: PublishEvent) => void;
  /** Ends it. */
  signal: AbortSignal;
}

/** What happened. Times are RFC 3339 UTC. */
export type PublishEvent = { at: string } & (
  | ({ event: 'published' } & Head)
  | ({ event: 'failed'; next_attempt_at: string } & Failure)
);

/** The longest that a failure is left alone. */
const slowestMs = 60_000;

/** Publishes the head, and gives it. `before` is the one that was published last: what no longer follows it is not signed. */
export async function publishHead(
  { head, key, publish }: PublishOptions,
  before?: Head,
  signal?: AbortSignal,
): Promise<Head> {
  const now = await head();
  if (before) refuseCut(now, before);
  await publish(await signHead(now, key), signal);
  return now;
}

/** Publishes at once and then at each interval, whether or not the head has moved: silence must mean a failure. */
export async function publishHeads({
  every_seconds,
  report,
  signal,
  ...options
}: ScheduleOptions): Promise<void> {
  const everyMs = every_seconds * 1000;
  let last: Head | undefined;
  for (let due = Date.now(); !signal.aborted; ) {
    try {
      last = await publishHead(options, last, signal);
      report({ at: iso(Date.now()), event: 'published', ...last });
      // Counted from when it was due, so that it does not drift, and past what a sleeping host has missed.
      due += everyMs * Math.max(1, Math.ceil((Date.now() - due) / everyMs));
    } catch (error) {
      if (signal.aborted) return;
      if (!isCloudCliError(error)) throw error;
      due = Date.now() + Math.min(everyMs, slowestMs);
      report({ at: iso(Date.now()), event: 'failed', next_attempt_at: iso(due), ...error.toJSON() });
    }
    await sleep(Math.max(0, due - Date.now()), undefined, { signal }).catch(() => {});
  }
}

function refuseCut(now: Head, before: Head): void {
  if (now.seq > before.seq || (now.seq === before.seq && now.hash === before.hash)) return;
  throw new CloudCliError(
    'audit_unavailable',
    `the ledger ends at event ${now.seq}, and does not go on from the checkpoint at ${before.seq}: its end was cut off, or it was replaced`,
    { hint: 'Nothing is signed. Keep the ledger as evidence, and compare it with an export or a backup.' },
  );
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
