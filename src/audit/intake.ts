/** What an import must hold, on every storage engine: a whole chain, of our events, each where a run can have it. */
import * as z from 'zod';
import { type CloudCliError, exitCodes, invalidRequest } from '../errors.js';
import { ChainCheck, type ChainedEvent, type Head, textOf } from './chain.js';
import type { RunEvent } from './ledger.js';

/** Events at a time: few enough for memory, enough for speed. */
const batchSize = 500;

/** Where the chain goes: the storage engine, in a transaction that it rolls back when this throws. */
export interface Destination {
  /** Which of these runs have begun before. */
  begun(run_ids: string[]): string[] | Promise<string[]>;
  insert(events: ChainedEvent[]): void | Promise<void>;
  takeOff(credential_key: string, run_id: string): void | Promise<void>;
}

interface Flight {
  credential_key: string;
  isIssued: boolean;
}

/**
 * Reads the chain into `to` batch by batch, checking it meanwhile, and gives its head.
 * @throws CloudCliError `invalid_request`, which names the line of the export that is wrong
 */
export async function takeIn(
  events: AsyncIterable<ChainedEvent> | Iterable<ChainedEvent>,
  to: Destination,
): Promise<Head> {
  const check = new ChainCheck();
  const flights = new Map<string, Flight>();
  let batch: ChainedEvent[] = [];
  let beginning = new Map<string, number>();
  const flush = async () => {
    for (const run_id of await to.begun([...beginning.keys()]))
      throw refused(beginning.get(run_id)!, beginsAgain(run_id));
    await to.insert(batch);
    batch = [];
    beginning = new Map();
  };
  let line = 0;
  for await (const chained of events) {
    line += 1;
    const problem = check.take(chained);
    if (problem !== undefined) throw refused(line, `does not verify: ${problem}`);
    const event = eventOf(chained.body);
    if (event === undefined) throw refused(line, 'is not an event of this ledger');
    const why = follow(event, flights);
    if (why !== undefined) throw refused(line, why);
    if (event.kind === 'PENDING') {
      if (beginning.has(event.run_id)) throw refused(line, beginsAgain(event.run_id));
      beginning.set(event.run_id, line);
    }
    if (batch.push(chained) === batchSize) await flush();
  }
  await flush();
  // A run in flight is closed as any other: by its own process, or by whoever finds that one gone.
  for (const [run_id, { credential_key }] of flights) await to.takeOff(credential_key, run_id);
  return check.head;
}

/** Follows the runs in flight, which are few where all runs are many; says what an event cannot be. */
function follow(event: RunEvent, flights: Map<string, Flight>): string | undefined {
  const { kind, run_id } = event;
  const flight = flights.get(run_id);
  if (kind === 'PENDING') {
    if (flight) return beginsAgain(run_id);
    const { credential_key } = event;
    for (const other of flights.values())
      if (other.credential_key === credential_key)
        return `begins a second run of ${credential_key} in flight`;
    flights.set(run_id, { credential_key, isIssued: false });
    return undefined;
  }
  if (!flight || (kind === 'ISSUED' && flight.isIssued)) return `is ${kind} of a run that cannot take it`;
  if (kind === 'ISSUED') flight.isIssued = true;
  else flights.delete(run_id);
  return undefined;
}

const beginsAgain = (run_id: string) => `begins run ${run_id} again`;

function refused(line: number, why: string): CloudCliError {
  return invalidRequest(
    [{ field: 'events', message: `line ${line} ${why}` }],
    'Nothing was imported. Give the whole and unchanged output of `cloud-cli audit export`.',
  );
}

/** The event that a text is, if it is one and reads so to everybody: no member twice, and nothing between members. */
function eventOf(body: string): RunEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  const parsed = eventSchema.safeParse(value);
  return parsed.success && textOf(value as object) === body ? parsed.data : undefined;
}

const time = z.iso.datetime();
const text = z.string().nullable();
const id = z.string().min(1);
const outcome = z.enum(['not_issued', 'unknown', 'issued']);
const place = { seq: z.int(), at: time, run_id: id };

const eventSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...place,
    kind: z.literal('PENDING'),
    action: z.literal('mint_cloud_credential'),
    provider: id,
    credential_key: id,
    source_identity: text,
    session_name: text,
    actor: z.string(),
    host: z.string(),
    reason: text,
    argv: z.array(z.string()),
    binary_path: text,
    // Ledgers of 0.1 have events without it.
    binary_provenance: z
      .strictObject({ real_path: z.string(), owner: z.number(), mode: z.string(), sha256: text })
      .nullable()
      .default(null),
    timeout_seconds: z.number(),
    exposure_seconds: z.number(),
    request_digest: z.string(),
    traceparent: text.default(null),
    lease: z.strictObject({
      host: z.string(),
      boot_id: z.string(),
      pid_namespace: z.string(),
      pid: z.int(),
      start_time: z.string(),
      deadline: time,
    }),
  }),
  z.strictObject({
    ...place,
    kind: z.literal('ISSUED'),
    source_identity: z.string(),
    expires_at: time,
    access_key_id: text,
    fingerprints: z.record(z.string(), z.string()),
  }),
  z.strictObject({ ...place, kind: z.literal('SUCCEEDED'), duration_ms: z.number() }),
  z.strictObject({
    ...place,
    kind: z.literal('FAILED'),
    duration_ms: z.number(),
    outcome,
    live_until: time.nullable(),
    error: z.strictObject({
      code: z.enum([...(Object.keys(exitCodes) as (keyof typeof exitCodes)[]), 'abandoned']),
      message: z.string(),
    }),
  }),
]) satisfies z.ZodType<RunEvent>;
