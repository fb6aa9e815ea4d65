/**
 * The ledger's domain: what happened to a run as events that are only ever appended, and the WorkloadRun row as their
 * view. Storage engines live beside this file and do not know one another.
 */
import { type ErrorCode, invalidRequest, type Outcome } from '../errors.js';
import type { Provenance } from '../provenance.js';
import { timeOf } from '../rfc3339.js';
import { type ChainedEvent, type Head, textOf, type Verification } from './chain.js';

/** The process that answers for a PENDING run, so that others can tell whether it still lives. */
export interface Lease {
  /** Host name, as the operating system gives it. */
  host: string;
  /** Changes at every boot of the host; empty where the platform does not tell. */
  boot_id: string;
  /** Pids mean something only inside it. */
  pid_namespace: string;
  /** Process id. */
  pid: number;
  /** When the process started, in the platform's own unit: a pid alone may have been given anew. */
  start_time: string;
  /** RFC 3339 UTC; on another host the only thing to go by. */
  deadline: string;
}

/** What every event has. */
export interface RecordedEvent {
  /** UUIDv7. */
  run_id: string;
  /** When it took its place in the chain, RFC 3339 UTC. */
  at: string;
}

/** A run begins; durable before anything is spawned. */
export interface PendingEvent extends RecordedEvent {
  /** Which event this is. */
  kind: 'PENDING';
  /** What the run is for; there is one action. */
  action: 'mint_cloud_credential';
  /** The handler's name. */
  provider: string;
  /** Where the credential is to be kept. */
  credential_key: string;
  /** For whom it is asked; null where that is left to the vendor CLI's default. */
  source_identity: string | null;
  /** The session's name in the cloud's own log; null where the provider has none. */
  session_name: string | null;
  /** Who asked. */
  actor: string;
  /** The host that mints. */
  host: string;
  /** Why it was asked for, at most 256 characters. */
  reason: string | null;
  /** What is spawned, masked; the binary's name first. */
  argv: string[];
  /** Absolute path of the binary; null where it was not found. */
  binary_path: string | null;
  /** Null where there was no binary to look at. */
  binary_provenance: Provenance | null;
  /** Seconds that the vendor CLI may take, 1 to 60. */
  timeout_seconds: number;
  /** The most seconds that the credential can live: bounds what an abandoned run may have left behind. */
  exposure_seconds: number;
  /** Equal for requests that ask for the same credential, whatever their run id, timeout and reason. */
  request_digest: string;
  /** Of the call that asked for it, where there was one. */
  traceparent: string | null;
  /** The process that answers for the run. */
  lease: Lease;
}

/** The cloud answered with a credential; durable before it is persisted. */
export interface IssuedEvent extends RecordedEvent {
  /** Which event this is. */
  kind: 'ISSUED';
  /** For whom the credential speaks: role ARN, service-account email or subscription id. */
  source_identity: string;
  /** When it expires, RFC 3339 UTC. */
  expires_at: string;
  /** Its public id at AWS; null elsewhere. */
  access_key_id: string | null;
  /** SHA-256 of each secret part, by the part's name. */
  fingerprints: Record<string, string>;
}

/** The credential is persisted. */
export interface SucceededEvent extends RecordedEvent {
  /** Which event this is. */
  kind: 'SUCCEEDED';
  /** Milliseconds since the run began. */
  duration_ms: number;
}

/** The run ended without a persisted credential. */
export interface FailedEvent extends RecordedEvent {
  /** Which event this is. */
  kind: 'FAILED';
  /** Milliseconds since the run began. */
  duration_ms: number;
  /** What the cloud may have live. */
  outcome: Outcome;
  /** Until when the cloud may have a credential live; null where it has none. */
  live_until: string | null;
  /** The failure; `abandoned` where the process went away without an end. */
  error: { code: ErrorCode | 'abandoned'; message: string };
}

/** An event as the ledger keeps it; `kind` tells which. */
export type RunEvent = PendingEvent | IssuedEvent | SucceededEvent | FailedEvent;
/** An event before the ledger has given it its place and time. */
export type NewEvent = { [E in RunEvent as E['kind']]: Omit<E, 'at'> }[RunEvent['kind']];
/** How far a run is, by its last event. */
export type RunStatus = 'PENDING' | 'SUCCEEDED' | 'FAILED';

/** One run as the ledger shows it. Times are RFC 3339 UTC; what is not known is null. */
export interface WorkloadRun {
  /** UUIDv7. */
  run_id: string;
  /** What the run was for; there is one action. */
  action: 'mint_cloud_credential';
  /** `PENDING` until its last event. */
  status: RunStatus;
  /** The handler's name. */
  provider: string;
  /** Where the credential is kept. */
  credential_key: string;
  /** Role ARN, service-account email or subscription id: as the cloud answered, else as it was asked for. */
  source_identity: string | null;
  /** Who asked. */
  actor: string;
  /** The host that minted. */
  host: string;
  /** Why it was asked for. */
  reason: string | null;
  /** Masked. */
  argv: string[];
  /** Absolute path of the vendor CLI. */
  binary_path: string | null;
  /** What the binary was when it was about to be run. */
  binary_provenance: Provenance | null;
  /** Seconds that the vendor CLI could take. */
  timeout_seconds: number;
  /** When it began. */
  created_at: string;
  /** When it ended. */
  finished_at: string | null;
  /** Milliseconds from its begin to its end. */
  duration_ms: number | null;
  /** When the credential expires. */
  expires_at: string | null;
  /** What the cloud may have live. */
  outcome: Outcome | null;
  /** Until when that may be live. */
  live_until: string | null;
  /** Why it failed; `abandoned` where its process went away without an end. */
  error: { code: ErrorCode | 'abandoned'; message: string } | null;
  /** The session's name in the cloud's own log (AWS). */
  session_name: string | null;
  /** The credential's public id (AWS). */
  access_key_id: string | null;
  /** `sha256:` and 64 hex digits of each secret part, by the part's name. */
  fingerprints: Record<string, string>;
  /** Equal for requests that ask for the same credential. */
  request_digest: string;
  /** The call that asked for it, as W3C Trace Context names it (`traceparent`). */
  traceparent: string | null;
  /** Who answers for it; null once it is closed. */
  lease: Lease | null;
}

/** Which rows to list, newest first. `since` is RFC 3339; `before` is the run id that ends the page before. */
export interface RunFilter {
  /** Of this provider alone. */
  provider?: string;
  /** Of this status alone. */
  status?: RunStatus;
  /** Of this credential key alone. */
  key?: string;
  /** Of this actor alone. */
  actor?: string;
  /** Begun at this time or later, RFC 3339. */
  since?: string;
  /** At most so many rows; default all. */
  limit?: number;
  /** Older than this run. */
  before?: string;
}

/**
 * A ledger. `append` gives the event its time when its turn has come, resolves only once it is durable, and rejects with `conflict` (this run has such an
 * event, or another run of this key is in flight) or `audit_unavailable`, as every method does where the storage fails.
 */
export interface AuditStore {
  /** Adds an event to the chain. */
  append(event: NewEvent): Promise<void>;
  /** The row of a run; undefined where there is none. */
  get(run_id: string): Promise<WorkloadRun | undefined>;
  /** The newest run of a key that succeeded. */
  latest(credential_key: string): Promise<WorkloadRun | undefined>;
  /** Rows, newest first. */
  list(filter?: RunFilter): Promise<WorkloadRun[]>;
  /** The runs that `what` leads to, newest first: a run id, session name, access key id, or fingerprint of a secret. */
  trace(what: string): Promise<WorkloadRun[]>;
  /** The whole chain, first event first. */
  events(): AsyncIterable<ChainedEvent>;
  /** The chain's newest point, at the genesis hash while it is empty. */
  head(): Promise<Head>;
  /** Rejects with `audit_unavailable` where `append` could not record a run now; it leaves nothing. */
  ready(): Promise<void>;
  /** Reads the whole chain; `saved` must still be a part of it. `watch` is told now and then how many events held. */
  verify(saved?: Head, watch?: (events: number) => void): Promise<Verification>;
  /**
   * Takes over another ledger's chain, to the letter and all or nothing, and gives its head. Rejects with `conflict`
   * where this ledger holds events, and with `invalid_request` where the chain does not verify or is not one of ours.
   */
  import(events: AsyncIterable<ChainedEvent> | Iterable<ChainedEvent>): Promise<Head>;
  /** Lets go of the file or the connections. */
  close(): Promise<void>;
}

/**
 * A filter's `since` as rows hold their time, since it is compared as text.
 * @throws CloudCliError `invalid_request`
 */
export function sinceOf({ since }: RunFilter): string | undefined {
  if (since === undefined) return undefined;
  const time = timeOf(since);
  if (time) return time.toISOString();
  throw invalidRequest(
    [{ field: 'since', message: 'must be an RFC 3339 time' }],
    'Write it as 2026-11-01T00:00:00Z or 2026-11-01.',
  );
}

/** An event's text, of which its place in the chain and its time are a part. */
export function bodyOf(seq: number, at: string, event: NewEvent): string {
  return textOf({ seq, at, ...event });
}

/** The texts of a run's events, as an engine finds them side by side. */
export interface RunBodies {
  pending: string;
  issued: string | null;
  ended: string | null;
}

export interface RunEvents {
  pending: PendingEvent;
  issued: IssuedEvent | undefined;
  ended: SucceededEvent | FailedEvent | undefined;
}

export function parseBodies({ pending, issued, ended }: RunBodies): RunEvents {
  return {
    pending: JSON.parse(pending) as PendingEvent,
    issued: issued === null ? undefined : (JSON.parse(issued) as IssuedEvent),
    ended: ended === null ? undefined : (JSON.parse(ended) as SucceededEvent | FailedEvent),
  };
}

/** The row that a run's events make. */
export function rowOf(
  pending: PendingEvent,
  issued?: IssuedEvent,
  end?: SucceededEvent | FailedEvent,
): WorkloadRun {
  const succeeded = end?.kind === 'SUCCEEDED';
  const failed = end?.kind === 'FAILED' ? end : undefined;
  return {
    run_id: pending.run_id,
    action: pending.action,
    status: end?.kind ?? 'PENDING',
    provider: pending.provider,
    credential_key: pending.credential_key,
    source_identity: issued?.source_identity ?? pending.source_identity,
    actor: pending.actor,
    host: pending.host,
    reason: pending.reason,
    argv: pending.argv,
    binary_path: pending.binary_path,
    // Events of before 0.1.0 do not have it.
    binary_provenance: pending.binary_provenance ?? null,
    timeout_seconds: pending.timeout_seconds,
    created_at: pending.at,
    finished_at: end?.at ?? null,
    duration_ms: end?.duration_ms ?? null,
    expires_at: issued?.expires_at ?? null,
    outcome: succeeded ? 'issued' : (failed?.outcome ?? null),
    live_until: succeeded ? (issued?.expires_at ?? null) : (failed?.live_until ?? null),
    error: failed?.error ?? null,
    session_name: pending.session_name,
    access_key_id: issued?.access_key_id ?? null,
    fingerprints: issued?.fingerprints ?? {},
    request_digest: pending.request_digest,
    // Ledgers of 0.1 have events without it.
    traceparent: pending.traceparent ?? null,
    lease: end ? null : pending.lease,
  };
}
