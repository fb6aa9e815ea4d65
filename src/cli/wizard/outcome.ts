/** How a mint ended, for a person: the envelope, or what went wrong and what to do about it. */

import type { Envelope } from '../../credential.js';
import type { CloudCliError } from '../../errors.js';
import { sayLeft, timeLeft } from '../time-left.js';
import type { Fact } from './facts.js';

export function envelopeFacts(envelope: Envelope): Fact[] {
  const { credential_key, expires_at, source_identity, audit_run_id } = envelope;
  return [
    ['credential_key', credential_key],
    ['expires_at', expires_at],
    ['time_left', timeLeft(envelope)],
    ['source_identity', source_identity],
    ['audit_run_id', audit_run_id],
  ];
}

export function failureFacts(failure: CloudCliError): Fact[] {
  return [
    ['What happened', failure.message],
    ['In the cloud', inTheCloud(failure)],
    ['What to do', failure.hint],
    ...(failure.audit_run_id === undefined ? [] : [['Run', failure.audit_run_id] as const]),
  ];
}

function inTheCloud({ outcome, live_until }: CloudCliError): string {
  const until =
    live_until === undefined ? 'its expiry' : `${live_until} (${sayLeft({ expires_at: live_until })})`;
  if (outcome === 'unknown') return `the cloud may hold a live credential until ${until}`;
  if (outcome === 'issued') return `the cloud has issued a credential, live until ${until}`;
  return 'nothing: no credential was issued';
}
