/** Keeps credentials fresh: mints each target again before its credential expires, whatever fails meanwhile. */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CredentialMetadata, Envelope } from './credential.js';
import { CloudCliError, type ErrorCode, type Failure, invalidRequest, isCloudCliError } from './errors.js';
import { type MintOptions, mint } from './mint.js';
import { type CheckedRequest, checkRequest } from './request.js';
import { newRunId } from './run-id.js';

/** A target's request and the rules that it is under. */
export interface Asked {
  request: Record<string, unknown>;
  policy: MintOptions['policy'];
  binaries?: MintOptions['binaries'];
}

export interface KeepOptions
  extends Omit<MintOptions, 'policy' | 'binaries' | 'signal' | 'min_remaining_seconds' | 'stored'> {
  stored: NonNullable<MintOptions['stored']>;
  /** Asked before every look, so that a rule taken back or a target mended counts without a restart. */
  ask: (target: string) => Promise<Asked>;
  report: (event: KeepEvent) => void;
  /** Ends it: the mints in flight are recorded as `cancelled`. */
  signal: AbortSignal;
}

/** What happened. Times are RFC 3339 UTC; `next_attempt_at` is null where there is none. */
export type KeepEvent = { at: string } & (
  | ({ event: 'kept' | 'minted'; target: string; next_attempt_at: string } & Envelope)
  /** Somebody else is minting this key. */
  | { event: 'waiting'; target: string; credential_key: string; next_attempt_at: string }
  | ({
      event: 'failed';
      target: string;
      credential_key: string | null;
      next_attempt_at: string | null;
    } & Failure)
  | { event: 'stopped' }
);

/** A timer stands still while its host sleeps, and a store can be emptied: no look is further away than this. */
const lookMs = 60_000;
const slowestMs = 5 * 60_000;
const quickestMs = 250;
/** Failures that only an operator can mend; each further `persist_failed` leaves one more credential live and lost. */
const standing: ReadonlySet<ErrorCode> = new Set(['invalid_request', 'policy_denied', 'persist_failed']);

/** Keeps all `targets` at a time, each on its own, until the signal aborts; it rejects only on a defect. */
export async function keep(targets: readonly string[], options: KeepOptions): Promise<void> {
  // Each target waits on it, and Node warns on stderr about the eleventh.
  setMaxListeners(0, options.signal);
  await Promise.all(targets.map((target) => new Keeper(target, options).run()));
  options.report({ at: iso(Date.now()), event: 'stopped' });
}

/**
 * When to mint again: where between a third and a quarter of the lifetime is left. Each process draws its own
 * moment, so that the hosts of a ledger seldom come at the same time.
 */
export function renewalAt(created_at: number, expires_at: number, random = Math.random()): number {
  return expires_at - (expires_at - created_at) * (1 / 3 - random / 12);
}

/**
 * How long to leave a target after its `failures`th failure in a row: exponential with full jitter, up to a 24th of
 * the lifetime, so that even the longest waits leave six attempts before the expiry.
 */
export function backoffMs(
  failures: number,
  code: ErrorCode,
  lifetime_ms: number,
  random = Math.random(),
): number {
  const most = Math.min(slowestMs, lifetime_ms / 24);
  const upTo = standing.has(code) ? most : Math.min(most, 1000 * 2 ** (failures - 1));
  return Math.max(quickestMs, random * upTo);
}

/** What is known of the credential that the store held at the last look. */
interface Known {
  run_id: string;
  digest: string | undefined;
  lifetime_ms: number;
  renewal_at: number;
}

/** One target. */
class Keeper {
  readonly #target: string;
  readonly #options: KeepOptions;
  #known: Known | undefined;
  /** The last request for which a credential was in the store. */
  #served: string | undefined;
  #key: string | null = null;
  /** The most that the request lets a credential live: what to go by where none is known. */
  #longest_ms = Number.POSITIVE_INFINITY;
  #failures = 0;
  #waiting = false;

  constructor(target: string, options: KeepOptions) {
    this.#target = target;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      const wait = await this.#turn().catch((error) => this.#failed(error));
      await sleep(wait, undefined, { signal }).catch(() => {});
    }
  }

  /** Looks, mints where that is due, and says how long to wait. */
  async #turn(): Promise<number> {
    const { request, ...rules } = await this.#options.ask(this.#target);
    const checked = checkRequest(request);
    refuseRunId(checked);
    this.#key = checked.key.toString();
    const held = await this.#options.stored(checked.key);
    if (held && this.#known?.run_id !== held.audit_run_id) {
      this.#known = await this.#judge(held, checked);
      if (!this.#isDue(checked)) this.#report('kept', held);
    }
    if (!held) this.#known = undefined;
    this.#longest_ms = checked.lifetime_seconds * 1000;
    if (!this.#isDue(checked)) {
      this.#settled(checked.digest);
      return this.#untilNext();
    }
    return this.#mint(request, checked, rules);
  }

  async #mint(
    request: Asked['request'],
    { digest }: CheckedRequest,
    rules: Omit<Asked, 'request'>,
  ): Promise<number> {
    const run_id = newRunId();
    const started = Date.now();
    const envelope = await mint(
      { ...request, run_id },
      {
        ...this.#options,
        ...rules,
        // Whoever came first since the look has minted one that lives longer.
        min_remaining_seconds: this.#known ? this.#known.lifetime_ms / 3000 : 0,
      },
    );
    if (envelope.audit_run_id !== run_id) return quickestMs;
    const expires_at = Date.parse(envelope.expires_at);
    this.#known = {
      run_id,
      digest,
      lifetime_ms: expires_at - started,
      renewal_at: renewalAt(started, expires_at),
    };
    this.#settled(digest);
    this.#report('minted', envelope);
    return this.#untilNext();
  }

  async #judge({ audit_run_id, expires_at }: CredentialMetadata, checked: CheckedRequest): Promise<Known> {
    const row = await this.#options.audit.get(audit_run_id);
    const expires = Date.parse(expires_at);
    const created = row ? Date.parse(row.created_at) : expires - checked.lifetime_seconds * 1000;
    return {
      run_id: audit_run_id,
      digest: row?.request_digest,
      lifetime_ms: expires - created,
      renewal_at: renewalAt(created, expires),
    };
  }

  /**
   * Also for a credential of another request, but once: whoever puts another in its place later has it until its
   * renewal, or two hosts with different configurations would mint against each other without end.
   */
  #isDue({ digest }: CheckedRequest): boolean {
    if (!this.#known || Date.now() >= this.#known.renewal_at) return true;
    return this.#known.digest !== digest && this.#served !== digest;
  }

  #settled(digest: string): void {
    this.#served = digest;
    this.#failures = 0;
    this.#waiting = false;
  }

  #untilNext(): number {
    const left = (this.#known?.renewal_at ?? 0) - Date.now();
    return Math.min(lookMs, Math.max(quickestMs, left));
  }

  #report(event: 'kept' | 'minted', envelope: Envelope): void {
    const { credential_key, expires_at, source_identity, audit_run_id } = envelope;
    this.#options.report({
      at: iso(Date.now()),
      event,
      target: this.#target,
      credential_key,
      expires_at,
      source_identity,
      audit_run_id,
      next_attempt_at: iso(this.#known!.renewal_at),
    });
  }

  /** Reports it and says how long to wait; a mint of somebody else's in flight is no failure. */
  #failed(error: unknown): number {
    const failure = asFailure(error);
    const { report, signal } = this.#options;
    const now = Date.now();
    const about = { at: iso(now), target: this.#target };
    if (signal.aborted) {
      if (failure.audit_run_id !== undefined)
        report({
          ...about,
          event: 'failed',
          credential_key: this.#key,
          next_attempt_at: null,
          ...failure.toJSON(),
        });
      return 0;
    }
    // With a run id it is ours that conflicted: it was closed by somebody else while it ran.
    if (failure.code === 'conflict' && failure.audit_run_id === undefined && this.#key !== null) {
      const wait = quickestMs * (1 + 3 * Math.random());
      if (!this.#waiting)
        report({ ...about, event: 'waiting', credential_key: this.#key, next_attempt_at: iso(now + wait) });
      this.#waiting = true;
      return wait;
    }
    this.#failures += 1;
    this.#waiting = false;
    const wait = backoffMs(this.#failures, failure.code, this.#known?.lifetime_ms ?? this.#longest_ms);
    const next_attempt_at = iso(now + wait);
    report({ ...about, event: 'failed', credential_key: this.#key, next_attempt_at, ...failure.toJSON() });
    return wait;
  }
}

/** A run id names one run: its second mint would be answered with the first one's envelope. */
function refuseRunId({ run_id_given }: CheckedRequest): void {
  if (!run_id_given) return;
  const message = 'names one run, and a kept target has many';
  throw invalidRequest([{ field: 'run_id', message }], 'Take run_id out of the target.');
}

/** An unknown error's message is dropped: it may quote a secret. */
function asFailure(error: unknown): CloudCliError {
  if (isCloudCliError(error)) return error as CloudCliError;
  const name = error instanceof Error ? error.name : typeof error;
  return new CloudCliError('internal', `an unexpected ${name} while keeping a target; this is a defect`, {
    hint: 'Report it; the other targets are kept meanwhile.',
  });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
