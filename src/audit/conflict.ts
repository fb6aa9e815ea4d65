/** Why a ledger refuses an event or a chain: the same words on every storage engine. */
import { CloudCliError } from '../errors.js';
import type { RunEvent } from './ledger.js';

export function runExists(run_id: string): CloudCliError {
  return new CloudCliError('conflict', `run ${run_id} exists already`, {
    hint: 'Leave run_id out, or take the one of a new preview.',
  });
}

export function keyInFlight(credential_key: string, run_id: string): CloudCliError {
  return new CloudCliError('conflict', `another mint of ${credential_key} is in flight: run ${run_id}`, {
    hint: 'Wait for it to end, then use its credential or run again.',
  });
}

export function cannotTake({ kind, run_id }: Pick<RunEvent, 'kind' | 'run_id'>): CloudCliError {
  return new CloudCliError('conflict', `run ${run_id} cannot take ${kind} now`, {
    hint: 'Another process has closed the run, or it never began: see `cloud-cli audit show`.',
  });
}

export function notEmpty(events: number): CloudCliError {
  return new CloudCliError('conflict', `the ledger is not empty: it holds ${events} events`, {
    hint: 'A chain is imported into a new ledger: name one in CLOUD_CLI_AUDIT_URL.',
  });
}

export function newerSchema(version: number): CloudCliError {
  return new CloudCliError(
    'audit_unavailable',
    `the ledger has schema version ${version}, newer than this cloud-cli knows`,
    { hint: 'Update cloud-cli on this host.' },
  );
}
