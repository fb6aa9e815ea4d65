/** The tables of the ledger on PostgreSQL, and how they come to be where many hosts start at once. */
import type { ClientBase } from 'pg';
import { CloudCliError } from '../errors.js';
import { newerSchema } from './conflict.js';

/** Of the advisory locks of this database: whoever changes the tables, and whoever appends. Readers take none. */
const migrationLock = '7091311, 1';
export const appendLock = '7091311, 2';

/**
 * One entry per version of the schema; an entry that was released is never changed.
 *
 * `event` is the ledger. `body` is text, for jsonb would put its members in another order. What lists and filters
 * need is generated from it, so that no column can say anything else than the text whose hash is checked. Columns
 * compare byte by byte (COLLATE "C"), as SQLite's do, whatever the locale and its next update. `flight` is not
 * history: it holds the runs in flight, one per key.
 *
 * The trigger is a statement's, which TRUNCATE needs, and fires for replication roles too.
 */
const migrations = [
  `
  CREATE TABLE cloud_cli.event (
    seq bigint PRIMARY KEY,
    body text NOT NULL,
    hash text NOT NULL,
    run_id text COLLATE "C" NOT NULL GENERATED ALWAYS AS (body::json ->> 'run_id') STORED,
    kind text COLLATE "C" NOT NULL GENERATED ALWAYS AS (body::json ->> 'kind') STORED,
    at text COLLATE "C" NOT NULL GENERATED ALWAYS AS (body::json ->> 'at') STORED,
    provider text COLLATE "C" GENERATED ALWAYS AS (body::json ->> 'provider') STORED,
    credential_key text COLLATE "C" GENERATED ALWAYS AS (body::json ->> 'credential_key') STORED,
    actor text COLLATE "C" GENERATED ALWAYS AS (body::json ->> 'actor') STORED,
    session_name text COLLATE "C" GENERATED ALWAYS AS (body::json ->> 'session_name') STORED,
    access_key_id text COLLATE "C" GENERATED ALWAYS AS (body::json ->> 'access_key_id') STORED,
    deadline text COLLATE "C" GENERATED ALWAYS AS (body::json #>> '{lease,deadline}') STORED
  );
  CREATE UNIQUE INDEX event_begins ON cloud_cli.event (run_id) WHERE kind = 'PENDING';
  CREATE UNIQUE INDEX event_issues ON cloud_cli.event (run_id) WHERE kind = 'ISSUED';
  CREATE UNIQUE INDEX event_ends ON cloud_cli.event (run_id) WHERE kind IN ('SUCCEEDED', 'FAILED');
  CREATE INDEX event_by_key ON cloud_cli.event (credential_key, seq) WHERE kind = 'PENDING';
  CREATE INDEX event_by_provider ON cloud_cli.event (provider, seq) WHERE kind = 'PENDING';
  CREATE INDEX event_by_actor ON cloud_cli.event (actor, seq) WHERE kind = 'PENDING';
  CREATE INDEX event_by_session_name ON cloud_cli.event (session_name) WHERE kind = 'PENDING';
  CREATE INDEX event_by_access_key_id ON cloud_cli.event (access_key_id) WHERE kind = 'ISSUED';
  CREATE FUNCTION cloud_cli.refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'restrict_violation'; END $$;
  CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cloud_cli.event
    FOR EACH STATEMENT EXECUTE FUNCTION cloud_cli.refuse_change();
  ALTER TABLE cloud_cli.event ENABLE ALWAYS TRIGGER event_is_append_only;
  CREATE TABLE cloud_cli.flight (
    credential_key text COLLATE "C" PRIMARY KEY,
    run_id text COLLATE "C" NOT NULL UNIQUE
  );
  `,
];

/**
 * Brings the tables to this version. Ten hosts may do so at once: one does, the others wait for it.
 * @throws CloudCliError `audit_unavailable` where the tables are of a newer version
 */
export async function migrate(client: ClientBase): Promise<void> {
  // A role that may change no table need not, once they are there.
  if ((await schemaVersion(client)) === migrations.length) return;
  await client.query(`BEGIN; SET LOCAL lock_timeout = '30s'; SELECT pg_advisory_xact_lock(${migrationLock})`);
  const version = await schemaVersion(client);
  if (version > migrations.length) throw newerSchema(version);
  if (version === 0) await makeSchema(client);
  for (const sql of migrations.slice(version)) await client.query(sql);
  if (version < migrations.length)
    await client.query('INSERT INTO cloud_cli.migration (version) VALUES ($1)', [migrations.length]);
  await client.query('COMMIT');
}

async function schemaVersion(client: ClientBase): Promise<number> {
  // The catalogue itself is asked: to_regclass() may go by what this session knew before it waited for the lock.
  const { rowCount } = await client.query(
    `SELECT FROM pg_class WHERE relname = 'migration'
     AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'cloud_cli')`,
  );
  if (rowCount === 0) return 0;
  const { rows } = await client.query('SELECT max(version) AS version FROM cloud_cli.migration');
  return rows[0].version ?? 0;
}

async function makeSchema(client: ClientBase): Promise<void> {
  const { rows } = await client.query(
    `SELECT current_setting('server_encoding') AS encoding,
       (SELECT count(*) FROM pg_namespace WHERE nspname = 'cloud_cli') AS schemas`,
  );
  const [{ encoding, schemas }] = rows as [{ encoding: string; schemas: string }];
  if (encoding !== 'UTF8') {
    throw new CloudCliError('audit_unavailable', `the ledger's database has the encoding ${encoding}`, {
      hint: "Make a database for it with ENCODING 'UTF8': see docs/postgresql.md.",
    });
  }
  // Whoever may not make schemas in this database may have been given this one.
  if (schemas === '0') await client.query('CREATE SCHEMA cloud_cli');
  await client.query('CREATE TABLE cloud_cli.migration (version integer PRIMARY KEY)');
}
