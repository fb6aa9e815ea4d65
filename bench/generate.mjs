/** A ledger as a busy control plane would have it: runs of many actors, a tenth of them failed, a few a minute. */
import { randomBytes } from 'node:crypto';
import { bodyOf, chainHash, genesis, openAuditStore } from '@alphaswarm/cloud-cli';

const failures = ['nonzero_exit', 'timeout', 'parse_error', 'persist_failed'];
const providers = ['aws', 'gcp', 'azure'];
let made = 0;

/** Makes the ledger in `file` with so many events, as `cloud-cli audit import` does. */
export async function fill(file, rows) {
  const audit = await openAuditStore(`sqlite:${file}`);
  await audit.import(chain(rows));
  await audit.close();
}

/** So many events, chained, ending now. */
function* chain(rows) {
  let head = { seq: 0, hash: genesis };
  const start = Date.now() - rows * 2000;
  for (const event of events(rows)) {
    const seq = head.seq + 1;
    const body = bodyOf(seq, new Date(start + seq * 2000).toISOString(), event);
    head = { seq, hash: chainHash(head.hash, body) };
    yield { ...head, body };
  }
}

function* events(rows) {
  for (let left = rows; left > 0; ) {
    const begun = pending();
    const { run_id } = begun;
    const fails = made % 10 === 0;
    const rest = fails
      ? [failed(run_id, failures[made % 4])]
      : [
          {
            kind: 'ISSUED',
            run_id,
            source_identity: begun.source_identity,
            expires_at: '2099-01-01T00:00:00.000Z',
            access_key_id: `ASIA${run_id.slice(-12).toUpperCase()}`,
            fingerprints: { session_token: `sha256:${randomBytes(32).toString('hex')}` },
          },
          { kind: 'SUCCEEDED', run_id, duration_ms: 900 },
        ];
    const run = [begun, ...rest];
    // No run is left open: the last ones are as many as fit.
    if (left < run.length) return;
    yield* run;
    left -= run.length;
  }
}

/** The event that ends a run which got nothing. */
export function failed(run_id, code = 'timeout') {
  const message = 'aws exited with status 254: An error occurred (AccessDenied)';
  return {
    kind: 'FAILED',
    run_id,
    duration_ms: 700,
    outcome: 'not_issued',
    live_until: null,
    error: { code, message },
  };
}

/** The first event of another run, of a key of its own. */
export function pending() {
  made += 1;
  const bytes = randomBytes(16);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const run_id = bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const provider = providers[made % 3];
  return {
    kind: 'PENDING',
    run_id,
    action: 'mint_cloud_credential',
    provider,
    credential_key: `bench:${provider}:${made}`,
    source_identity: `arn:aws:iam::123456789012:role/deploy-${made % 50}`,
    session_name: `cloud-cli-${run_id}`,
    actor: `actor-${made % 40}@example.com`,
    host: 'bench',
    reason: null,
    argv: ['aws', 'sts', 'assume-role', `--role-session-name=cloud-cli-${run_id}`, '--output=json'],
    binary_path: '/usr/bin/aws',
    timeout_seconds: 60,
    exposure_seconds: 3600,
    request_digest: run_id.padEnd(64, '0'),
    traceparent: null,
    lease: {
      host: 'bench',
      boot_id: '',
      pid_namespace: '',
      pid: 1,
      start_time: '',
      deadline: '2099-01-01T00:00:00.000Z',
    },
  };
}
