/** A mint, one straight line: validate, record, run, parse, persist, record. */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { argvOf, type BuiltArgv } from './argv.js';
import { releaseLease, takeLease } from './audit/lease.js';
import type { AuditStore } from './audit/ledger.js';
import { type BinaryPins, type FoundBinary, findBinary } from './binary.js';
import type { Credential, CredentialMetadata, Envelope, PersistHook } from './credential.js';
import { childEnvironment } from './environment.js';
import { CloudCliError, type FailureFacts, isCloudCliError } from './errors.js';
import { type Minted, offExpiry } from './handler.js';
import { monotonicMs } from './monotonic.js';
import { handOver, persistSeconds, requireReady } from './persist.js';
import { type AllowRule, actorOf, requireAllowed } from './policy.js';
import { type FreshnessOptions, replayed, stillFresh } from './recorded.js';
import { type CheckedRequest, checkRequest, type MoreHandlers } from './request.js';
import { type Ending, inProcess, type Spawner } from './run.js';
import type { failureOf } from './vendor-failure.js';

/** Where a mint records and keeps, who asks, and what it may do. */
export interface MintOptions extends FreshnessOptions {
  /** Keeps the credential. Without it nothing is minted, and the run is recorded as `persist_failed`. */
  persist?: PersistHook | undefined;
  /** Asked before anything is spawned: rejects where `persist` could not keep a credential, such as `store.ready`. */
  ready?: (() => Promise<void>) | undefined;
  /** The ledger. Without it nothing is minted. */
  audit: AuditStore;
  /** Who asks; default the user of the operating system. */
  actor?: string;
  /** Ends the vendor process and records the run as `cancelled`. */
  signal?: AbortSignal | undefined;
  /** Allow rules; where there is one, nothing else is allowed. Default: everything is. */
  policy?: readonly AllowRule[] | undefined;
  /** Providers of your own; one of a built-in name takes its place. */
  handlers?: MoreHandlers;
  /** The vendor CLIs that may be run, by name: one that differs is refused as `binary_missing`. */
  binaries?: BinaryPins | undefined;
  /** The parent environment that the child's is made from; default process.env. */
  env?: NodeJS.ProcessEnv;
  /** The call that asks, as W3C Trace Context names it (`traceparent`), for the ledger. */
  traceparent?: string | undefined;
  /** What spawns; default this process. */
  spawner?: Spawner;
}

/**
 * Mints the credential that `request` asks for, through the vendor's CLI.
 *
 * The run is in the ledger before anything is spawned, and the credential reaches nobody but `persist`.
 * @throws CloudCliError with a code of {@link exitCodes}; `outcome` tells what the cloud may have live.
 */
export async function mint(request: unknown, options: MintOptions): Promise<Envelope> {
  const checked = checkRequest(request, options.handlers);
  const actor = actorOf(options.actor);
  requireAllowed(options.policy, checked, actor);
  const audit = requireAudit(options.audit);
  // A fifth of what the library is, for mints alone; a failure must not wait for it, nor find it gone.
  const { failureOf } = await import('./vendor-failure.js');
  if (options.signal?.aborted)
    throw failureOf({ how: 'cancelled', stderr: '' }, checked).with({ outcome: 'not_issued' });

  const recorded = (await replayed(checked, actor, audit)) ?? (await stillFresh(checked, options, audit));
  if (recorded) return recorded;

  const built = argvOf(checked);
  const binary = await findBinary(checked.handler, options.env ?? process.env, options.binaries);
  const began = Date.now();
  const started = monotonicMs();
  const duration_ms = () => Math.max(0, Math.round(monotonicMs() - started));
  // By the clock as it is and as it was: one that was set back meanwhile must not say that less is live.
  const latest = () => new Date(Math.max(Date.now(), began + duration_ms()));
  const { run_id } = checked;
  try {
    await begin(checked, actor, built, binary, { ...options, audit });
    let issued: Minted | undefined;
    try {
      const persist = requirePersist(options.persist);
      await requireReady(options.ready);
      issued = await issue(checked, built, binary, { ...options, failureOf });
      const credential = credentialOf(checked, issued);
      await audit.append({ kind: 'ISSUED', run_id, ...traces(issued) });
      await handOver(persist, checked.key, credential, { run_id, signal: options.signal });
    } catch (error) {
      const failure = asFailure(error, checked, issued, latest());
      await close(
        audit,
        { kind: 'FAILED', run_id, duration_ms: duration_ms(), ...recordOf(failure) },
        failure,
      );
      throw failure;
    }
    const envelope = envelopeOf(checked, issued);
    await close(
      audit,
      { kind: 'SUCCEEDED', run_id, duration_ms: duration_ms() },
      {
        audit_run_id: run_id,
        outcome: 'issued',
        live_until: envelope.expires_at,
      },
    );
    return envelope;
  } finally {
    releaseLease(run_id);
  }
}

const latestTime = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Appends PENDING: from here on there is a run. */
async function begin(
  checked: CheckedRequest,
  actor: string,
  built: BuiltArgv,
  binary: FoundBinary,
  { audit, traceparent = null }: { audit: AuditStore; traceparent?: string | null | undefined },
): Promise<void> {
  const { run_id, handler, timeout_seconds, exposure_seconds } = checked;
  const bound = timeout_seconds + persistSeconds + 30;
  try {
    await audit.append({
      kind: 'PENDING',
      run_id,
      action: 'mint_cloud_credential',
      provider: handler.name,
      credential_key: checked.key.toString(),
      source_identity: checked.source_identity,
      session_name: checked.session_name,
      actor,
      host: hostname(),
      reason: checked.reason,
      argv: built.masked,
      binary_path: binary.path,
      binary_provenance: binary.provenance,
      timeout_seconds,
      exposure_seconds,
      request_digest: checked.digest,
      traceparent,
      lease: takeLease(run_id, new Date(Date.now() + bound * 1000)),
    });
  } catch (error) {
    throw auditFailure(error, { outcome: 'not_issued' });
  }
}

/** Runs the vendor CLI and reads its answer. */
async function issue(
  checked: CheckedRequest,
  built: BuiltArgv,
  { path: file, problem }: FoundBinary,
  options: MintOptions & { failureOf: typeof failureOf },
): Promise<Minted> {
  const { handler, values, run_id, timeout_seconds } = checked;
  if (problem || file === null) {
    const { code, message, hint } = problem!;
    throw new CloudCliError(code, message, { hint, outcome: 'not_issued' });
  }
  const started_at = new Date();
  const ending: Ending = await (options.spawner ?? inProcess).run({
    file,
    argv: built.argv.slice(1),
    env: childEnvironment(options.env ?? process.env, handler, run_id),
    timeout_seconds,
    signal: options.signal,
  });
  if (ending.how !== 'exited' || ending.exit_code !== 0) throw options.failureOf(ending, checked);
  const minted = handler.parse({ ...ending, started_at }, values);
  // Also later than RFC 3339 can write, as seconds are that were counted in milliseconds.
  if (!(minted.expires_at.getTime() <= latestTime))
    throw offExpiry(`${handler.binary} answered with an expiry that is no time`);
  if (!(minted.expires_at.getTime() > Date.now())) {
    throw new CloudCliError(
      'parse_error',
      `${handler.binary} answered with a credential that has expired already`,
      {
        part: 'expiry',
        hint: "Check this host's clock; a cached token may also have run out: log the parent in again.",
        outcome: 'unknown',
      },
    );
  }
  return minted;
}

/** Appends the last event. A ledger that is busy for a moment must not leave a run open. */
async function close(
  audit: AuditStore,
  event: Parameters<AuditStore['append']>[0],
  facts: Partial<FailureFacts>,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await audit.append(event);
    } catch (error) {
      if (attempt < 3 && isCloudCliError(error) && error.code === 'audit_unavailable') await sleep(500);
      else throw auditFailure(error, { ...known(facts), audit_run_id: event.run_id });
    }
  }
}

function auditFailure(error: unknown, facts: Partial<FailureFacts>): CloudCliError {
  if (isCloudCliError(error)) return (error as CloudCliError).with(facts);
  return new CloudCliError('audit_unavailable', `the ledger refused the row (${nameOf(error)})`, {
    hint: 'Nothing is minted without a ledger: check the audit store.',
    ...facts,
  });
}

/** Any failure of a run that has begun, as one of ours. An unknown error's message is dropped: it may quote a secret. */
function asFailure(
  error: unknown,
  checked: CheckedRequest,
  issued: Minted | undefined,
  now: Date,
): CloudCliError {
  const ends = issued?.expires_at ?? new Date(now.getTime() + checked.exposure_seconds * 1000);
  const failure: CloudCliError = isCloudCliError(error)
    ? (error as CloudCliError)
    : new CloudCliError('internal', `an unexpected ${nameOf(error)} while minting; this is a defect`, {
        hint: 'Report it with the run id; the ledger row has the rest.',
        outcome: 'unknown',
      });
  const outcome = issued ? 'issued' : failure.outcome;
  return failure.with({
    audit_run_id: checked.run_id,
    ...(outcome === 'not_issued' || outcome === undefined
      ? {}
      : { live_until: failure.live_until ?? ends.toISOString(), outcome }),
  });
}

function recordOf(failure: CloudCliError) {
  return {
    outcome: failure.outcome ?? ('unknown' as const),
    live_until: failure.live_until ?? null,
    error: { code: failure.code, message: failure.message },
  };
}

function known({ outcome, live_until }: Partial<FailureFacts>): Partial<FailureFacts> {
  return {
    ...(outcome === undefined ? {} : { outcome }),
    ...(live_until === undefined ? {} : { live_until }),
  };
}

function requireAudit(audit: AuditStore | undefined): AuditStore {
  if (audit) return audit;
  throw new CloudCliError('audit_unavailable', 'no ledger is configured', {
    hint: 'Give `mint` an `audit` store, such as `await openAuditStore("sqlite:PATH")`.',
    outcome: 'not_issued',
  });
}

function requirePersist(persist: PersistHook | undefined): PersistHook {
  // Whoever passes a store instead of its hook must not lose a credential by it.
  if (typeof persist === 'function') return persist;
  throw new CloudCliError(
    'persist_failed',
    'no store that can write is configured, so a minted credential could not be kept',
    {
      hint: 'Configure a store that can write, in CLOUD_CLI_STORE_URL or store_url; in code, give `mint` a `persist` hook.',
      outcome: 'not_issued',
    },
  );
}

function credentialOf(checked: CheckedRequest, issued: Minted): Credential {
  const metadata: CredentialMetadata = { provider: checked.handler.name, ...envelopeOf(checked, issued) };
  return { ...metadata, ...issued.parts } as unknown as Credential;
}

function envelopeOf(checked: CheckedRequest, issued: Minted): Envelope {
  return {
    credential_key: checked.key.toString(),
    expires_at: issued.expires_at.toISOString(),
    source_identity: issued.source_identity,
    audit_run_id: checked.run_id,
  };
}

/** What lets an investigator find the credential: never a part of it. */
function traces(issued: Minted) {
  return {
    source_identity: issued.source_identity,
    expires_at: issued.expires_at.toISOString(),
    access_key_id: issued.access_key_id ?? null,
    fingerprints: Object.fromEntries(
      Object.entries(issued.parts).map(([name, part]) => [name, part.fingerprint()]),
    ),
  };
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
