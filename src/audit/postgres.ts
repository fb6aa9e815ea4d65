/** The ledger on PostgreSQL: one database for the processes of many hosts. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { CloudCliError } from '../errors.js';
import { ChainCheck, type ChainedEvent, type Head, type Verification } from './chain.js';
import { notEmpty } from './conflict.js';
import { takeIn } from './intake.js';
import {
  type AuditStore,
  type NewEvent,
  parseBodies,
  type RunBodies,
  type RunFilter,
  rowOf,
  sinceOf,
  type WorkloadRun,
} from './ledger.js';
import { isAway, isLost, isReader, refusal } from './postgres-refusal.js';
import { migrate } from './postgres-schema.js';
import { insert, reserve, run, Turn, takeTurn } from './postgres-turn.js';
import { malformed, postgresName } from './postgres-url.js';

/** Milliseconds: whatever hangs, a call ends. Parameters of the URL beat these. */
const bounds = {
  connectionTimeoutMillis: 5_000,
  lock_timeout: 5_000,
  statement_timeout: 30_000,
  idle_in_transaction_session_timeout: 60_000,
  // Of the driver, for when the server is not there to tell that time is up.
  query_timeout: 35_000,
};

/** Milliseconds before each further try of an append whose connection was lost. */
const pauses = [0, 250, 1000];

/**
 * Opens the ledger in the database that `url` names, making its tables at first use, and closes the runs whose
 * processes are gone. TLS and all else is as the `pg` package reads it from the URL.
 * @throws CloudCliError `audit_unavailable`, or `invalid_request` for a malformed URL; neither quotes the password
 */
export async function openPostgresAuditStore(url: string): Promise<AuditStore> {
  const ledger = new PostgresLedger(url, postgresName(url));
  try {
    await ledger.open();
    return ledger;
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

class PostgresLedger implements AuditStore {
  readonly #name: string;
  readonly #readers: pg.Pool;
  /** Apart from the readers, so that no wait for the append lock keeps them waiting. */
  readonly #writers: pg.Pool;
  /** Where events stand whose commit was not answered. A caller that tries again gives the same object. */
  readonly #unsettled = new WeakMap<NewEvent, Head>();
  #closed: Promise<unknown> | undefined;

  constructor(url: string, name: string) {
    this.#name = name;
    this.#readers = newPool(url, 3);
    this.#writers = newPool(url, 2);
  }

  async open(): Promise<void> {
    await this.#guard(async () => {
      await using(this.#writers, migrate);
      const hasAbandoned = await using(this.#readers, async (client) =>
        (await Turn.at(client)).hasAbandoned(),
      );
      // A role that reads alone, or a standby, leaves them to whoever opens the ledger next.
      if (hasAbandoned)
        await this.#turn((turn) => turn.closeAbandoned()).catch((error: unknown) => {
          if (!isReader(error)) throw error;
        });
    });
  }

  async append(event: NewEvent): Promise<void> {
    await this.#guard(async () => {
      for (let attempt = 0; ; attempt += 1) {
        try {
          return await this.#append(event);
        } catch (error) {
          const again = isLost(error) || (isAway(error) && this.#unsettled.has(event));
          if (!again || attempt === pauses.length) throw error;
          await sleep(pauses[attempt]);
        }
      }
    });
  }

  async get(run_id: string): Promise<WorkloadRun | undefined> {
    return (await this.#runs(`${run} AND p.run_id = $1`, [run_id]))[0];
  }

  async latest(credential_key: string): Promise<WorkloadRun | undefined> {
    const newest = `${run} AND p.credential_key = $1 AND e.kind = 'SUCCEEDED' ORDER BY p.seq DESC LIMIT 1`;
    return (await this.#runs(newest, [credential_key]))[0];
  }

  async list(filter: RunFilter = {}): Promise<WorkloadRun[]> {
    const since = sinceOf(filter);
    const conditions: [string, string | undefined][] = [
      ['p.provider = ?', filter.provider],
      ['p.credential_key = ?', filter.key],
      ['p.actor = ?', filter.actor],
      ['p.at >= ?', since],
      ["coalesce(e.kind, 'PENDING') = ?", filter.status],
      ["p.seq < (SELECT seq FROM cloud_cli.event WHERE run_id = ? AND kind = 'PENDING')", filter.before],
    ];
    const given = conditions.filter((pair): pair is [string, string] => pair[1] !== undefined);
    const where = given
      .map(([condition], index) => ` AND ${condition.replace('?', `$${index + 1}`)}`)
      .join('');
    const parameters = [...given.map(([, value]) => value), filter.limit ?? null];
    return this.#runs(`${run}${where} ORDER BY p.seq DESC LIMIT $${parameters.length}`, parameters);
  }

  async trace(what: string): Promise<WorkloadRun[]> {
    // A fingerprint can be that of any part, which no index covers: an investigator may wait for the scan.
    const byFingerprint = `kind = 'ISSUED' AND strpos(body, $1) > 0
      AND EXISTS (SELECT FROM json_each_text(body::json -> 'fingerprints') WHERE value = $1)`;
    const ways = what.startsWith('sha256:')
      ? [byFingerprint]
      : [
          `kind = 'PENDING' AND run_id = $1`,
          `kind = 'PENDING' AND session_name = $1`,
          `kind = 'ISSUED' AND access_key_id = $1`,
        ];
    const found = ways.map((way) => `SELECT run_id FROM cloud_cli.event WHERE ${way}`).join(' UNION ');
    return this.#runs(`${run} AND p.run_id IN (${found}) ORDER BY p.seq DESC`, [what]);
  }

  async *events(): AsyncIterable<ChainedEvent> {
    // No transaction for a reader who may take his time: what is committed stays as it is.
    for await (const page of pages((text, values) => this.#query(text, values))) yield* page;
  }

  async head(): Promise<Head> {
    return this.#ask(() => using(this.#readers, async (client) => (await Turn.at(client)).head));
  }

  async ready(): Promise<void> {
    await this.#ask(() =>
      transaction(this.#writers, takeTurn, async (client) => {
        // Asked for and not tried: a probe each second would leave as many dead rows.
        const { rows } = await client.query(
          `SELECT CASE WHEN current_setting('transaction_read_only') = 'on' THEN '25006'
             WHEN NOT has_table_privilege('cloud_cli.event', 'SELECT')
               OR NOT has_table_privilege('cloud_cli.event', 'INSERT')
               OR NOT has_table_privilege('cloud_cli.flight', 'SELECT')
               OR NOT has_table_privilege('cloud_cli.flight', 'INSERT')
               OR NOT has_table_privilege('cloud_cli.flight', 'DELETE') THEN '42501' END AS code`,
        );
        const [{ code }] = rows as [{ code: string | null }];
        if (code !== null) throw refusal(this.#name, { code });
      }),
    );
  }

  async verify(saved?: Head): Promise<Verification> {
    const snapshot = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
    return this.#ask(() =>
      transaction(this.#readers, snapshot, async (client) => {
        const check = new ChainCheck(saved);
        for await (const page of pages(async (text, values) => (await client.query(text, values)).rows))
          for (const event of page) if (check.take(event) !== undefined) return check.end();
        return check.end();
      }),
    );
  }

  async import(events: Parameters<AuditStore['import']>[0]): Promise<Head> {
    let head: Head | undefined;
    // What the source throws is no refusal of the ledger's, and goes through as it is.
    const foreign = new Set<unknown>();
    try {
      await transaction(this.#writers, takeTurn, async (client) => {
        const { seq } = (await Turn.at(client)).head;
        if (seq > 0) throw notEmpty(seq);
        head = await takeIn(noting(events, foreign), {
          begun: async (run_ids) => {
            const known = `SELECT run_id FROM cloud_cli.event WHERE kind = 'PENDING' AND run_id = ANY($1)`;
            return (await client.query(known, [run_ids])).rows.map(({ run_id }) => run_id);
          },
          insert: (batch) => insert(client, batch),
          takeOff: (credential_key, run_id) => reserve(client, credential_key, run_id),
        });
      });
      return head!;
    } catch (error) {
      if (foreign.has(error)) throw error;
      // The answer to the commit may be all that was lost.
      if (head && isLost(error) && (await this.#guard(() => this.#turn((turn) => turn.holds(head!)))))
        return head;
      throw refusal(this.#name, error);
    }
  }

  async close(): Promise<void> {
    this.#closed ??= Promise.all([this.#readers.end(), this.#writers.end()]);
    await this.#closed;
  }

  async #append(event: NewEvent): Promise<void> {
    const refused = await this.#turn(async (turn) => {
      const earlier = this.#unsettled.get(event);
      // Under the lock, which that commit held until it was done or undone: the answer cannot change any more.
      if (earlier && (await turn.holds(earlier))) return;
      try {
        await turn.append(event);
      } catch (error) {
        // Other runs that the turn has closed stay closed.
        if (error instanceof CloudCliError) return error;
        throw error;
      }
      this.#unsettled.set(event, turn.head);
      return undefined;
    });
    this.#unsettled.delete(event);
    if (refused) throw refused;
  }

  #turn<T>(work: (turn: Turn) => Promise<T>): Promise<T> {
    return transaction(this.#writers, takeTurn, async (client) => work(await Turn.at(client)));
  }

  async #runs(text: string, values: (string | number | null)[]): Promise<WorkloadRun[]> {
    // No text of PostgreSQL has a NUL, so that it would refuse to look for one.
    if (values.some((value) => typeof value === 'string' && value.includes('\0'))) return [];
    return (await this.#query<RunBodies>(text, values)).map((bodies) => {
      const { pending, issued, ended } = parseBodies(bodies);
      return rowOf(pending, issued, ended);
    });
  }

  async #query<R extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<R[]> {
    return (await this.#ask(() => this.#readers.query<R>(text, values))).rows;
  }

  /** Asks once more where the connection went away, which one that was idle shows to whoever uses it next. */
  #ask<T>(question: () => Promise<T>): Promise<T> {
    return this.#guard(() =>
      question().catch((error: unknown) => {
        if (isLost(error)) return question();
        throw error;
      }),
    );
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw refusal(this.#name, error);
    }
  }
}

function newPool(url: string, max: number): pg.Pool {
  const options: pg.PoolConfig = {
    ...bounds,
    connectionString: url,
    application_name: 'cloud-cli',
    max,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    // A ledger that nobody closed must not keep a process from its end.
    allowExitOnIdle: true,
  };
  refuseMalformed(options);
  const pool = new pg.Pool(options);
  // Connections end when PostgreSQL starts again; the next call makes new ones.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** The pool would tell of a URL that it cannot read, or of a certificate's file, at the first call only. */
function refuseMalformed(options: pg.PoolConfig): void {
  try {
    new pg.Client(options);
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code !== undefined && syscall !== undefined)
      throw malformed(`names a file of a certificate or key that cannot be read (${code})`);
    throw malformed();
  }
}

async function* noting<T>(source: AsyncIterable<T> | Iterable<T>, errors: Set<unknown>): AsyncIterable<T> {
  try {
    yield* source;
  } catch (error) {
    errors.add(error);
    throw error;
  }
}

async function using<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    const result = await work(client);
    client.release();
    return result;
  } catch (error) {
    // Without a connection its transaction ends too, in whatever state both are.
    client.release(true);
    throw error;
  }
}

function transaction<T>(
  pool: pg.Pool,
  begin: string,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  return using(pool, async (client) => {
    await client.query(begin);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  });
}

async function* pages(
  query: (text: string, values: unknown[]) => Promise<{ seq: string; body: string; hash: string }[]>,
): AsyncIterable<ChainedEvent[]> {
  for (let after = 0; ; ) {
    const rows = await query(
      'SELECT seq, body, hash FROM cloud_cli.event WHERE seq > $1 ORDER BY seq LIMIT 1000',
      [after],
    );
    if (rows.length === 0) return;
    yield rows.map((row) => ({ ...row, seq: Number(row.seq) }));
    after = Number(rows.at(-1)!.seq);
  }
}
