/** The ledger on SQLite: one file for the processes of one host. */
import { resolve } from 'node:path';
import Database from 'better-sqlite3';
import { CloudCliError } from '../errors.js';
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
  parseBodies,
  type RunBodies,
  type RunEvent,
  type RunEvents,
  type RunFilter,
  rowOf,
  type WorkloadRun,
} from './ledger.js';
import { codeOf, guard, makeFile, told } from './sqlite-file.js';
import { failedRun, fewRuns, run, statusIs } from './sqlite-runs.js';
import { migrate } from './sqlite-schema.js';

/** An append that waits for its turn. */
interface Waiting {
  event: NewEvent;
  resolve: () => void;
  reject: (error: unknown) => void;
}

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
  readonly #statements = new Map<string, Database.Statement<unknown[], unknown>>();
  /** Of the runs in flight, as they were last looked at. */
  #leases = new Map<string, Lease | undefined>();
  #waiting: Waiting[] = [];

  constructor(db: Database.Database, path: string) {
    this.#db = db;
    this.#path = path;
    writeAhead(db);
    // FULL syncs the log at every commit: what `append` has answered for survives a power cut.
    db.pragma('synchronous = FULL');
    migrate(db);
  }

  /** Appends that come while others wait share their commit, whose sync is most of what one takes. */
  append(event: NewEvent): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#commit());
      this.#waiting.push({ event, resolve, reject });
    });
  }

  async get(run_id: string): Promise<WorkloadRun | undefined> {
    return guard(this.#path, () => this.#rows(`${run} AND p.run_id = ?`, [run_id])[0]);
  }

  async latest(credential_key: string): Promise<WorkloadRun | undefined> {
    const newest = `${run} AND p.credential_key = ? AND e.kind = 'SUCCEEDED' ORDER BY p.seq DESC LIMIT 1`;
    return guard(this.#path, () => this.#rows(newest, [credential_key])[0]);
  }

  async list(filter: RunFilter = {}): Promise<WorkloadRun[]> {
    const conditions: [string, string | undefined][] = [
      ['p.provider = ?', filter.provider],
      ['p.credential_key = ?', filter.key],
      ['p.actor = ?', filter.actor],
      ['p.at >= ?', filter.since],
      ["p.seq < (SELECT seq FROM event WHERE run_id = ? AND kind = 'PENDING')", filter.before],
    ];
    const given = conditions.filter((pair): pair is [string, string] => pair[1] !== undefined);
    const where = given.map(([condition]) => ` AND ${condition}`).join('');
    const parameters = given.map(([, value]) => value);
    const limit = filter.limit ?? -1;
    return guard(this.#path, () => {
      const isShort = filter.since !== undefined && this.#hasFewSince(filter.since);
      if (filter.status === 'FAILED' && !isShort) return this.#failures(where, parameters, limit);
      const from = isShort ? run.replace('event p', 'event p INDEXED BY event_by_time') : run;
      const status = filter.status === undefined ? '' : ` AND ${statusIs[filter.status]}`;
      return this.#rows(`${from}${where}${status} ORDER BY p.seq DESC LIMIT ?`, [...parameters, limit]);
    });
  }

  async trace(what: string): Promise<WorkloadRun[]> {
    // A fingerprint can be that of any part, which no index covers: an investigator may wait for the scan.
    const byFingerprint = `kind = 'ISSUED' AND EXISTS (SELECT 1 FROM json_each(body, '$.fingerprints') WHERE value = ?)`;
    const ways = what.startsWith('sha256:')
      ? [byFingerprint]
      : [
          `kind = 'PENDING' AND run_id = ?`,
          `kind = 'PENDING' AND session_name = ?`,
          `kind = 'ISSUED' AND access_key_id = ?`,
        ];
    const found = ways.map((way) => `SELECT run_id FROM event WHERE ${way}`).join(' UNION ');
    const parameters = ways.map(() => what);
    return guard(this.#path, () =>
      this.#rows(`${run} AND p.run_id IN (${found}) ORDER BY p.seq DESC`, parameters),
    );
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
    this.#commit();
    this.#db.close();
  }

  /** Closes the runs in flight that nobody answers for any more: their processes are gone, or have let them go. */
  closeAbandoned(): void {
    if (this.#abandoned().length === 0) return;
    this.#db.transaction(() => this.#sweep()).immediate();
  }

  #abandoned(): string[] {
    const flights = this.#statement<[], { run_id: string }>('SELECT run_id FROM flight').all();
    const run_ids = flights.map(({ run_id }) => run_id);
    // Each is looked at for every other run that begins, and its lease never changes.
    this.#leases = new Map(
      run_ids.map((run_id) => [run_id, this.#leases.get(run_id) ?? this.#leaseOf(run_id)]),
    );
    return run_ids.filter((run_id) => {
      const lease = this.#leases.get(run_id);
      return lease === undefined || !isLive(run_id, lease);
    });
  }

  #sweep(): void {
    for (const run_id of this.#abandoned()) this.#abandon(run_id);
  }

  /** Commits what waits, in its order, in one transaction; an event that is refused takes no other with it. */
  #commit(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const refusals = new Map<Waiting, unknown>();
    try {
      if (waiting.length > 0) this.#together(waiting, refusals);
    } catch (error) {
      refusals.clear();
      // What SQLite holds against one of them, each finds out by itself.
      const alone = waiting.length > 1 && !/^SQLITE_(?:BUSY|FULL|IOERR|READONLY|CORRUPT)/.test(codeOf(error));
      for (const each of waiting) {
        if (!alone) refusals.set(each, error);
        else this.#alone(each, refusals);
      }
    }
    for (const each of waiting) {
      if (refusals.has(each)) each.reject(told(this.#path, refusals.get(each)));
      else each.resolve();
    }
  }

  #alone(one: Waiting, refusals: Map<Waiting, unknown>): void {
    try {
      this.#together([one], refusals);
    } catch (error) {
      refusals.set(one, error);
    }
  }

  #together(waiting: Waiting[], refusals: Map<Waiting, unknown>): void {
    const all = this.#db.transaction(() => {
      // A process that runs for long opens no ledger again, and must not hold another key by a run that it could not close.
      if (waiting.some(({ event }) => event.kind === 'PENDING')) this.#sweep();
      for (const each of waiting) {
        try {
          this.#append(each.event);
        } catch (error) {
          // Ours come before anything of the event was written.
          if (!(error instanceof CloudCliError)) throw error;
          refusals.set(each, error);
        }
      }
    });
    all.immediate();
  }

  /** Page by page: an open cursor would keep the write-ahead log from being folded in, and the host from its work. */
  async *#pages(): AsyncIterable<EventRow[]> {
    // As arrays, which take a quarter less to make than objects.
    const page = this.#statement<[number], EventRow>(
      'SELECT seq, body, hash FROM event WHERE seq > ? ORDER BY seq LIMIT 1000',
    ).raw(true);
    for (let after = 0; ; ) {
      const rows = guard(this.#path, () => page.all(after));
      if (rows.length === 0) return;
      yield rows;
      after = rows.at(-1)![0];
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #hasFewSince(since: string): boolean {
    const found = `SELECT count(*) AS runs FROM (SELECT 1 FROM event WHERE kind = 'PENDING' AND at >= ? LIMIT ${fewRuns})`;
    return this.#statement<[string], { runs: number }>(found).get(since)!.runs < fewRuns;
  }

  /**
   * Failed runs by when they began, the newest first. They are walked by when they ended: of those still to come each
   * ended, and so began, before the one at hand, so that the walk ends where none of them can be among the newest.
   */
  #failures(where: string, parameters: string[], limit: number): WorkloadRun[] {
    const walk = this.#statement<string[], RunBodies & { began_at: number; ended_at: number }>(
      `${failedRun}${where} ORDER BY e.seq DESC`,
    );
    const most = limit < 0 ? Number.POSITIVE_INFINITY : limit;
    let newest: (RunBodies & { began_at: number })[] = [];
    let oldest = 0;
    for (const found of walk.iterate(...parameters)) {
      if (found.ended_at < oldest) break;
      newest.push(found);
      // Sorted now and then, which costs less than keeping the order.
      if (newest.length <= 2 * most) continue;
      newest = byBeginning(newest).slice(0, most);
      oldest = newest.at(-1)?.began_at ?? Number.POSITIVE_INFINITY;
    }
    return byBeginning(newest).slice(0, most).map(rowIn);
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
    this.#statement('INSERT INTO event (seq, body, hash) VALUES (?, ?, ?)').run(seq, body, hash);
  }

  #head(): Head {
    const newest = this.#statement<[], Head>('SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1').get();
    return newest ?? { seq: 0, hash: genesis };
  }

  #takeOff({ run_id, credential_key }: Pick<PendingEvent, 'run_id' | 'credential_key'>): void {
    const known = this.#statement("SELECT 1 FROM event WHERE run_id = ? AND kind = 'PENDING'").get(run_id);
    if (known) throw runExists(run_id);
    const other = this.#statement<[string], { run_id: string }>(
      'SELECT run_id FROM flight WHERE credential_key = ?',
    ).get(credential_key);
    if (other) throw keyInFlight(credential_key, other.run_id);
    this.#reserve(credential_key, run_id);
  }

  #reserve(credential_key: string, run_id: string): void {
    this.#statement('INSERT INTO flight (credential_key, run_id) VALUES (?, ?)').run(credential_key, run_id);
  }

  /** A run goes on: it must be in flight, and an answer comes once. */
  #fly({ kind, run_id }: Pick<RunEvent, 'kind' | 'run_id'>): void {
    const { begun, issued, ended } = this.#statement<[string, string, string], Record<string, number | null>>(
      `SELECT
        (SELECT 1 FROM event WHERE run_id = ? AND kind = 'PENDING') AS begun,
        (SELECT 1 FROM event WHERE run_id = ? AND kind = 'ISSUED') AS issued,
        (SELECT 1 FROM event WHERE run_id = ? AND kind IN ('SUCCEEDED', 'FAILED')) AS ended`,
    ).get(run_id, run_id, run_id)!;
    if (!begun || ended || (kind === 'ISSUED' && issued)) throw cannotTake({ kind, run_id });
    if (kind !== 'ISSUED') this.#statement('DELETE FROM flight WHERE run_id = ?').run(run_id);
  }

  #leaseOf(run_id: string): Lease | undefined {
    return this.#events(run_id).pending?.lease;
  }

  #abandon(run_id: string): void {
    const { pending, issued, ended } = this.#events(run_id);
    // Another process may have closed it between the look and the lock.
    if (pending && !ended) this.#append(abandon(pending, issued));
  }

  #events(run_id: string): RunEvents | Record<string, undefined> {
    const bodies = this.#statement<[string], RunBodies>(`${run} AND p.run_id = ?`).get(run_id);
    return bodies ? parseBodies(bodies) : {};
  }

  #rows(sql: string, parameters: (string | number)[]): WorkloadRun[] {
    return this.#statement<(string | number)[], RunBodies>(sql)
      .all(...parameters)
      .map(rowIn);
  }

  /** Prepared once: preparing takes longer than most of them run. */
  #statement<P extends unknown[], R>(sql: string): Database.Statement<P, R> {
    const known = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, known);
    return known as Database.Statement<P, R>;
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

function byBeginning<R extends { began_at: number }>(runs: R[]): R[] {
  return runs.sort((left, right) => right.began_at - left.began_at);
}

function rowIn(bodies: RunBodies): WorkloadRun {
  const { pending, issued, ended } = parseBodies(bodies);
  return rowOf(pending, issued, ended);
}
