/** The ledger on SQLite: one file for the processes of one host. */
import { resolve } from 'node:path';
import Database from 'better-sqlite3';
import { monotonicMs } from '../monotonic.js';
import { abandon } from './abandoned.js';
import { ChainCheck, type ChainedEvent, chainHash, genesis, type Head } from './chain.js';
import { cannotTake, keyInFlight, notEmpty, runExists } from './conflict.js';
import { isLive } from './lease.js';
import {
  type AuditStore,
  bodyOf,
  type Lease,
  type NewEvent,
  type PendingEvent,
  type RunEvent,
  type RunFilter,
  type WorkloadRun,
} from './ledger.js';
import { GroupCommit } from './sqlite-commit.js';
import { codeOf, guard, makeFile } from './sqlite-file.js';
import { Runs } from './sqlite-runs.js';
import { migrate } from './sqlite-schema.js';
import { Statements } from './sqlite-statements.js';

/**
 * Opens the ledger in `file`, making it (mode 0600) at first use, and closes the runs whose processes are gone.
 * @throws CloudCliError `audit_unavailable`
 */
export async function openSqliteAuditStore(file: string): Promise<AuditStore> {
  const path = resolve(file);
  return guard(path, () => {
    makeFile(path);
    const db = new Database(path, { timeout: 5000 });
    try {
      const ledger = new SqliteLedger(db, path);
      ledger.closeAbandoned();
      return ledger;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

class SqliteLedger implements AuditStore {
  readonly #db: Database.Database;
  readonly #path: string;
  readonly #statements: Statements;
  readonly #runs: Runs;
  readonly #appends: GroupCommit;
  /** Of the runs in flight, as they were last looked at. */
  #leases = new Map<string, Lease | undefined>();

  constructor(db: Database.Database, path: string) {
    this.#db = db;
    this.#path = path;
    writeAhead(db);
    // FULL syncs the log at every commit: what `append` has answered for survives a power cut.
    db.pragma('synchronous = FULL');
    migrate(db);
    this.#statements = new Statements(db);
    this.#runs = new Runs(this.#statements);
    this.#appends = new GroupCommit(db, path, {
      // A process that runs for long opens no ledger again, and must not hold another key by a run that it could not close.
      sweep: () => this.#sweep(),
      write: (event) => this.#append(event),
    });
  }

  append(event: NewEvent): Promise<void> {
    return this.#appends.append(event);
  }

  async get(run_id: string): Promise<WorkloadRun | undefined> {
    return guard(this.#path, () => this.#runs.get(run_id));
  }

  async latest(credential_key: string): Promise<WorkloadRun | undefined> {
    return guard(this.#path, () => this.#runs.latest(credential_key));
  }

  async list(filter: RunFilter = {}): Promise<WorkloadRun[]> {
    return guard(this.#path, () => this.#runs.list(filter));
  }

  async trace(what: string): Promise<WorkloadRun[]> {
    return guard(this.#path, () => this.#runs.trace(what));
  }

  async *events(): AsyncIterable<ChainedEvent> {
    for await (const page of this.#pages()) for (const row of page) yield chained(row);
  }

  async head(): Promise<Head> {
    return guard(this.#path, () => this.#head());
  }

  async ready(): Promise<void> {
    guard(this.#path, () => {
      // Takes the write lock, which a read-only file or file system refuses.
      this.#db.exec('BEGIN IMMEDIATE');
      this.#db.exec('ROLLBACK');
    });
  }

  async verify(saved?: Head, watch?: (events: number) => void): ReturnType<AuditStore['verify']> {
    const check = new ChainCheck(saved);
    for await (const page of this.#pages()) {
      if (page.some((row) => check.take(chained(row)) !== undefined)) break;
      watch?.(check.head.seq);
    }
    return check.end();
  }

  async import(events: Parameters<AuditStore['import']>[0]): Promise<Head> {
    // On a connection of its own: what this ledger appends meanwhile must not become a part of the transaction.
    const other = guard(
      this.#path,
      () => new SqliteLedger(new Database(this.#path, { timeout: 5000 }), this.#path),
    );
    try {
      return await other.#takeIn(events);
    } finally {
      // Takes back what was not committed.
      await other.close();
    }
  }

  async close(): Promise<void> {
    this.#appends.commit();
    this.#db.close();
  }

  /** Closes the runs in flight that nobody answers for any more: their processes are gone, or have let them go. */
  closeAbandoned(): void {
    if (this.#abandoned().length === 0) return;
    this.#db.transaction(() => this.#sweep()).immediate();
  }

  #abandoned(): string[] {
    const flights = this.#statements.of<[], { run_id: string }>('SELECT run_id FROM flight').all();
    const run_ids = flights.map(({ run_id }) => run_id);
    // Each is looked at for every other run that begins, and its lease never changes.
    this.#leases = new Map(
      run_ids.map((run_id) => [
        run_id,
        this.#leases.get(run_id) ?? this.#runs.eventsOf(run_id).pending?.lease,
      ]),
    );
    return run_ids.filter((run_id) => {
      const lease = this.#leases.get(run_id);
      return lease === undefined || !isLive(run_id, lease);
    });
  }

  #sweep(): void {
    for (const run_id of this.#abandoned()) this.#abandon(run_id);
  }

  /** Page by page: an open cursor would keep the write-ahead log from being folded in, and the host from its work. */
  async *#pages(): AsyncIterable<EventRow[]> {
    // As arrays, which take a quarter less to make than objects.
    const page = this.#statements
      .of<[number], EventRow>('SELECT seq, body, hash FROM event WHERE seq > ? ORDER BY seq LIMIT 1000')
      .raw(true);
    for (let after = 0; ; ) {
      const rows = guard(this.#path, () => page.all(after));
      if (rows.length === 0) return;
      yield rows;
      after = rows.at(-1)![0];
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #takeIn(events: Parameters<AuditStore['import']>[0]): Promise<Head> {
    // Its schemas are of no use to any other command.
    const { takeIn } = await import('./intake.js');
    const { db, path } = { db: this.#db, path: this.#path };
    guard(path, () => db.exec('BEGIN IMMEDIATE'));
    const { seq } = guard(path, () => this.#head());
    if (seq > 0) throw notEmpty(seq);
    const begun = db.prepare<[string]>(`SELECT 1 FROM event WHERE run_id = ? AND kind = 'PENDING'`);
    const head = await takeIn(events, {
      begun: (run_ids) => guard(path, () => run_ids.filter((run_id) => begun.get(run_id))),
      insert: (batch) =>
        guard(path, () => {
          for (const event of batch) this.#insert(event);
        }),
      takeOff: (key, run_id) => guard(path, () => this.#reserve(key, run_id)),
    });
    guard(path, () => db.exec('COMMIT'));
    return head;
  }

  #append(event: NewEvent): void {
    if (event.kind === 'PENDING') this.#takeOff(event);
    else this.#fly(event);
    const head = this.#head();
    const seq = head.seq + 1;
    // Taken under the lock: nobody waits between two events' times and their order.
    const body = bodyOf(seq, new Date().toISOString(), event);
    const hash = chainHash(head.hash, body);
    this.#insert({ seq, body, hash });
  }

  #insert({ seq, body, hash }: ChainedEvent): void {
    this.#statements.of('INSERT INTO event (seq, body, hash) VALUES (?, ?, ?)').run(seq, body, hash);
  }

  #head(): Head {
    const newest = this.#statements
      .of<[], Head>('SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1')
      .get();
    return newest ?? { seq: 0, hash: genesis };
  }

  #takeOff({ run_id, credential_key }: Pick<PendingEvent, 'run_id' | 'credential_key'>): void {
    const known = this.#statements
      .of("SELECT 1 FROM event WHERE run_id = ? AND kind = 'PENDING'")
      .get(run_id);
    if (known) throw runExists(run_id);
    const other = this.#statements
      .of<[string], { run_id: string }>('SELECT run_id FROM flight WHERE credential_key = ?')
      .get(credential_key);
    if (other) throw keyInFlight(credential_key, other.run_id);
    this.#reserve(credential_key, run_id);
  }

  #reserve(credential_key: string, run_id: string): void {
    this.#statements
      .of('INSERT INTO flight (credential_key, run_id) VALUES (?, ?)')
      .run(credential_key, run_id);
  }

  /** A run goes on: it must be in flight, and an answer comes once. */
  #fly({ kind, run_id }: Pick<RunEvent, 'kind' | 'run_id'>): void {
    const { begun, issued, ended } = this.#statements
      .of<[string, string, string], Record<string, number | null>>(
        `SELECT
        (SELECT 1 FROM event WHERE run_id = ? AND kind = 'PENDING') AS begun,
        (SELECT 1 FROM event WHERE run_id = ? AND kind = 'ISSUED') AS issued,
        (SELECT 1 FROM event WHERE run_id = ? AND kind IN ('SUCCEEDED', 'FAILED')) AS ended`,
      )
      .get(run_id, run_id, run_id)!;
    if (!begun || ended || (kind === 'ISSUED' && issued)) throw cannotTake({ kind, run_id });
    if (kind !== 'ISSUED') this.#statements.of('DELETE FROM flight WHERE run_id = ?').run(run_id);
  }

  #abandon(run_id: string): void {
    const { pending, issued, ended } = this.#runs.eventsOf(run_id);
    // Another process may have closed it between the look and the lock.
    if (pending && !ended) this.#append(abandon(pending, issued));
  }
}

/** Where two open a new file at once, SQLite does not let the second wait for the first. */
function writeAhead(db: Database.Database): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (const deadline = monotonicMs() + 5000; ; ) {
    try {
      db.pragma('journal_mode = WAL');
      return;
    } catch (error) {
      if (codeOf(error) !== 'SQLITE_BUSY' || monotonicMs() > deadline) throw error;
    }
    Atomics.wait(pause, 0, 0, 5);
  }
}

type EventRow = [seq: number, body: string, hash: string];

function chained([seq, body, hash]: EventRow): ChainedEvent {
  return { seq, body, hash };
}
