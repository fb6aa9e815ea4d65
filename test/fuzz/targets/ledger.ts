/** A ledger file into which somebody wrote any text: rows, or a failure of ours, and never a verified chain. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { bodyOf } from '../../../src/audit/ledger.js';
import { openSqliteAuditStore } from '../../../src/audit/sqlite.js';
import { isCloudCliError } from '../../../src/errors.js';
import { expectThat, type Target } from '../target.js';

const run_id = '01936b1e-4c00-7d3a-9c1e-2f6b8f0a4d11';
const pending = bodyOf(1, '2026-11-01T00:00:00.000Z', {
  kind: 'PENDING',
  run_id,
  action: 'mint_cloud_credential',
  provider: 'aws',
  credential_key: 'idp:aws:prod',
  source_identity: null,
  session_name: null,
  actor: 'alice',
  host: 'h',
  reason: null,
  argv: ['aws'],
  binary_path: null,
  binary_provenance: null,
  timeout_seconds: 60,
  exposure_seconds: 3600,
  request_digest: 'd',
  traceparent: null,
  lease: {
    host: 'h',
    boot_id: '',
    pid_namespace: '',
    pid: 1,
    start_time: '',
    deadline: '2026-11-01T00:00:00Z',
  },
});

const directory = mkdtempSync(join(tmpdir(), 'cloud-cli-fuzz-'));
const file = join(directory, 'audit.sqlite');
const ledgerOf = openSqliteAuditStore(file);
const db = new Database(file);
// A fuzzer's ledger may lose what it holds: what is tried here is how it is read.
db.pragma('synchronous = OFF');
db.exec('DROP TRIGGER event_is_not_updated; DROP TRIGGER event_is_not_deleted');

export const ledger: Target = {
  name: 'ledger',
  seeds: [
    pending,
    `${pending}\n{"seq":2,"kind":"ISSUED","run_id":"${run_id}","at":"","expires_at":"","source_identity":"","fingerprints":{}}`,
    `${pending}\n{"seq":2,"kind":"FAILED","run_id":"${run_id}","at":"x","error":{"code":"abandoned","message":""}}`,
    `{"kind":"PENDING","run_id":"${run_id}","at":"x"}`,
  ],
  words: [
    '"kind":"PENDING"',
    '"kind":"ISSUED"',
    '"kind":"SUCCEEDED"',
    '"fingerprints":',
    'null',
    '[]',
    '\n',
    '\\u0000',
    `"run_id":"${run_id}"`,
  ],
  async run(input) {
    const store = await ledgerOf;
    db.exec('DELETE FROM event');
    const insert = db.prepare('INSERT INTO event (seq, body, hash) VALUES (?, ?, ?)');
    try {
      input
        .toString('utf8')
        .split('\n')
        .forEach((body, index) => {
          insert.run(index + 1, body, 'f'.repeat(64));
        });
    } catch {
      // SQLite itself takes no such text.
    }
    const looks = [
      () => store.get(run_id),
      () => store.list({ provider: 'aws', actor: 'alice', since: '2000-01-01', limit: 5 }),
      () => store.latest('idp:aws:prod'),
      () => store.trace(run_id),
      () => store.trace('sha256:f'),
    ];
    for (const look of looks) {
      try {
        await look();
      } catch (error) {
        expectThat(isCloudCliError(error), `an error that is none of ours: ${(error as Error)?.stack}`);
        expectThat(error.code === 'audit_unavailable', `fails as ${error.code}`);
      }
    }
    const held = (await store.head()).seq;
    const found = await store.verify();
    expectThat(!found.ok || held === 0, 'verifies what nobody hashed');
  },
  async close() {
    await (await ledgerOf).close();
    db.close();
    rmSync(directory, { recursive: true, force: true });
  },
};
