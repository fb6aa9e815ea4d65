/** Mints that need no spawn: the ledger has recorded their like. */
import type { AuditStore, WorkloadRun } from './audit/ledger.js';
import type { CredentialMetadata, Envelope } from './credential.js';
import { CloudCliError } from './errors.js';
import { msLeft, windowMs } from './freshness.js';
import type { CredentialKey } from './key.js';
import type { CheckedRequest } from './request.js';

/** When the key's stored credential is good enough. */
export interface FreshnessOptions {
  /** Returns the envelope of the key's stored credential when it was minted for the same request and lives longer than this. */
  min_remaining_seconds?: number | undefined;
  /** What the store holds now, such as `store.describe`; without it `min_remaining_seconds` goes by the ledger alone. */
  stored?: (key: CredentialKey) => Promise<CredentialMetadata | undefined>;
}

/** The same run again: its envelope when it succeeded, for the same request and actor. */
export async function replayed(
  checked: CheckedRequest,
  actor: string,
  audit: AuditStore,
): Promise<Envelope | undefined> {
  if (!checked.run_id_given) return undefined;
  const row = await audit.get(checked.run_id);
  if (!row) return undefined;
  if (row.status === 'SUCCEEDED' && row.request_digest === checked.digest && row.actor === actor)
    return recordedEnvelope(row);
  const why =
    row.status === 'PENDING'
      ? 'is in flight'
      : row.status === 'FAILED'
        ? 'failed, and is spent'
        : 'belongs to another request or actor';
  throw new CloudCliError('conflict', `run ${checked.run_id} ${why}`, {
    hint: 'Leave run_id out, or take the one of a new preview.',
    outcome: 'not_issued',
  });
}

/** The stored credential's envelope, when it was minted for the same request and lives long enough. */
export async function stillFresh(
  checked: CheckedRequest,
  options: FreshnessOptions,
  audit: AuditStore,
): Promise<Envelope | undefined> {
  const least = options.min_remaining_seconds;
  if (least === undefined) return undefined;
  const leastMs = windowMs(least, 'Leave it out to mint in any case.');
  const row = await audit.latest(checked.key.toString());
  if (!row?.expires_at || row.request_digest !== checked.digest) return undefined;
  if (msLeft({ expires_at: row.expires_at }) <= leastMs) return undefined;
  const stored = options.stored ? await options.stored(checked.key) : { audit_run_id: row.run_id };
  return stored?.audit_run_id === row.run_id ? recordedEnvelope(row) : undefined;
}

function recordedEnvelope({ credential_key, expires_at, source_identity, run_id }: WorkloadRun): Envelope {
  return {
    credential_key,
    expires_at: expires_at ?? '',
    source_identity: source_identity ?? '',
    audit_run_id: run_id,
  };
}
