/** The tables of the ledger on SQLite, and how an older file gets them. */
import type Database from 'better-sqlite3';
import { newerSchema } from './conflict.js';

/**
 * One entry per version of the schema; an entry that was released is never changed.
 *
 * `event` is the ledger. What lists and filters need is generated from the chained text itself, so that no column
 * can say anything else than the text whose hash is checked. `flight` is not history: it holds the runs in flight,
 * one per key.
 */
const migrations = [
  `
  CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    hash TEXT NOT NULL,
    run_id TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.run_id') VIRTUAL,
    kind TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.kind') VIRTUAL,
    at TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.at') VIRTUAL,
    provider TEXT GENERATED ALWAYS AS (body ->> '$.provider') VIRTUAL,
    credential_key TEXT GENERATED ALWAYS AS (body ->> '$.credential_key') VIRTUAL,
    actor TEXT GENERATED ALWAYS AS (body ->> '$.actor') VIRTUAL,
    session_name TEXT GENERATED ALWAYS AS (body ->> '$.session_name') VIRTUAL,
    access_key_id TEXT GENERATED ALWAYS AS (body ->> '$.access_key_id') VIRTUAL
  ) STRICT;
  CREATE UNIQUE INDEX event_begins ON event (run_id) WHERE kind = 'PENDING';
  CREATE UNIQUE INDEX event_issues ON event (run_id) WHERE kind = 'ISSUED';
  CREATE UNIQUE INDEX event_ends ON event (run_id) WHERE kind IN ('SUCCEEDED', 'FAILED');
  CREATE INDEX event_by_key ON event (credential_key, seq) WHERE kind = 'PENDING';
  CREATE INDEX event_by_provider ON event (provider, seq) WHERE kind = 'PENDING';
  CREATE INDEX event_by_actor ON event (actor, seq) WHERE kind = 'PENDING';
  CREATE INDEX event_by_session_name ON event (session_name) WHERE kind = 'PENDING';
  CREATE INDEX event_by_access_key_id ON event (access_key_id) WHERE kind = 'ISSUED';
  CREATE TRIGGER event_is_not_updated BEFORE UPDATE ON event BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
  CREATE TRIGGER event_is_not_deleted BEFORE DELETE ON event BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
  CREATE TABLE flight (credential_key TEXT PRIMARY KEY, run_id TEXT NOT NULL UNIQUE) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE INDEX event_by_time ON event (at) WHERE kind = 'PENDING';
  CREATE INDEX event_by_failure ON event (seq) WHERE kind = 'FAILED';
  `,
];

/** Brings the tables up to date. */
export function migrate(db: Database.Database): void {
  if (schemaVersion(db) !== migrations.length) db.transaction(() => step(db)).immediate();
}

function step(db: Database.Database): void {
  const version = schemaVersion(db);
  if (version > migrations.length) throw newerSchema(version);
  for (const sql of migrations.slice(version)) db.exec(sql);
  if (version < migrations.length) db.pragma(`user_version = ${migrations.length}`);
}

function schemaVersion(db: Database.Database): number {
  return db.pragma('user_version', { simple: true }) as number;
}
