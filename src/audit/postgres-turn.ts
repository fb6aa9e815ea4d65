/** One turn at the end of the chain: what whoever holds the append lock of PostgreSQL may look up and record. */
import type { ClientBase } from 'pg';
import { abandon } from './abandoned.js';
import { type ChainedEvent, chainHash, genesis, type Head } from './chain.js';
import { cannotTake, keyInFlight, runExists } from './conflict.js';
import { isLive } from './lease.js';
import {
  bodyOf,
  type NewEvent,
  type PendingEvent,
  parseBodies,
  type RunBodies,
  type RunEvents,
} from './ledger.js';
import { appendLock } from './postgres-schema.js';

/**
 * Begins a transaction that waits for the lock. A role or database may have switched off synchronous_commit, by
 * which a crash of PostgreSQL would take back what was answered for. Each statement must see what was committed
 * before the lock was given, and so takes a snapshot of its own (READ COMMITTED).
 */
export const takeTurn = `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = on; SELECT pg_advisory_xact_lock(${appendLock})`;

export const run = `
  SELECT p.body AS pending, i.body AS issued, e.body AS ended
  FROM cloud_cli.event p
  LEFT JOIN cloud_cli.event i ON i.run_id = p.run_id AND i.kind = 'ISSUED'
  LEFT JOIN cloud_cli.event e ON e.run_id = p.run_id AND e.kind IN ('SUCCEEDED', 'FAILED')
  WHERE p.kind = 'PENDING'`;

const allFlights = 'SELECT run_id FROM cloud_cli.flight';
/** Asked for at once, since all who append wait meanwhile: the run itself, who has its key, and who is overdue. */
const concerned = `
  SELECT $1
  UNION SELECT run_id FROM cloud_cli.flight WHERE credential_key = $2
  UNION SELECT f.run_id FROM cloud_cli.flight f JOIN cloud_cli.event b ON b.run_id = f.run_id AND b.kind = 'PENDING'
    WHERE b.deadline <= $3`;

export class Turn {
  readonly #client: ClientBase;
  readonly #now: Date;
  readonly #ahead: number;
  #head: Head;

  private constructor(client: ClientBase, head: Head, now: Date, ahead: number) {
    this.#client = client;
    this.#head = head;
    this.#now = now;
    this.#ahead = ahead;
  }

  /**
   * Looks where the chain ends and what time it is: by the clock of the database, for those of the hosts differ.
   * Where that one was set back, as by a failover, the last event's time goes on until it has caught up: then no
   * event is older than the one before, and no run in flight looks older than it is.
   */
  static async at(client: ClientBase): Promise<Turn> {
    // Read before the question is sent: a deadline may become later by what the answer takes, never earlier.
    const asked = Date.now();
    const { rows } = await client.query(
      `SELECT extract(epoch FROM clock_timestamp()) * 1000 AS clock, e.seq, e.hash, e.at
       FROM (SELECT 1) one LEFT JOIN (SELECT * FROM cloud_cli.event ORDER BY seq DESC LIMIT 1) e ON true`,
    );
    const { clock, seq, hash, at } = rows[0];
    const head = seq === null ? { seq: 0, hash: genesis } : { seq: Number(seq), hash };
    const now = Math.max(Math.floor(Number(clock)), seq === null ? 0 : Date.parse(at));
    return new Turn(client, head, new Date(now), now - asked);
  }

  /** The chain's end, with what this turn has recorded. */
  get head(): Head {
    return this.#head;
  }

  /** Whether the chain holds this very point. */
  async holds({ seq, hash }: Head): Promise<boolean> {
    const { rows } = await this.#client.query('SELECT hash FROM cloud_cli.event WHERE seq = $1', [seq]);
    return rows[0]?.hash === hash;
  }

  /** Whether any run in flight has lost its process. */
  async hasAbandoned(): Promise<boolean> {
    return (await this.#runs(allFlights)).some((other) => !this.#isLive(other));
  }

  /** Closes every run in flight whose process is gone. */
  async closeAbandoned(): Promise<void> {
    for (const other of await this.#runs(allFlights)) if (!this.#isLive(other)) await this.#abandon(other);
  }

  /** Records what happens to a run, and closes other hosts' runs past their deadline: none waits for its key. */
  async append(event: NewEvent): Promise<void> {
    const key = event.kind === 'PENDING' ? event.credential_key : null;
    const runs = await this.#runs(concerned, event.run_id, key, this.#now.toISOString());
    const own = runs.find(({ pending }) => pending.run_id === event.run_id);
    const live: RunEvents[] = [];
    for (const other of runs) {
      if (other === own) continue;
      if (this.#isLive(other)) live.push(other);
      else await this.#abandon(other);
    }
    if (event.kind === 'PENDING') {
      if (own) throw runExists(event.run_id);
      const other = live.find(({ pending }) => pending.credential_key === key);
      if (other) throw keyInFlight(event.credential_key, other.pending.run_id);
    } else if (!own || own.ended || (event.kind === 'ISSUED' && own.issued)) throw cannotTake(event);
    await this.#record(event);
  }

  #isLive({ pending }: RunEvents): boolean {
    return isLive(pending.run_id, pending.lease, this.#now.getTime(), true);
  }

  async #abandon({ pending, issued }: RunEvents): Promise<void> {
    await this.#record(abandon(pending, issued, this.#now));
  }

  async #record(given: NewEvent): Promise<void> {
    const event = given.kind === 'PENDING' ? this.#byThisClock(given) : given;
    const seq = this.#head.seq + 1;
    const body = bodyOf(seq, this.#now.toISOString(), event);
    const hash = chainHash(this.#head.hash, body);
    if (event.kind === 'PENDING') await reserve(this.#client, event.credential_key, event.run_id);
    else if (event.kind !== 'ISSUED')
      await this.#client.query('DELETE FROM cloud_cli.flight WHERE run_id = $1', [event.run_id]);
    await insert(this.#client, [{ seq, body, hash }]);
    this.#head = { seq, hash };
  }

  /** A host whose clock is slow would otherwise be given up while it mints, and one whose clock is fast too late. */
  #byThisClock(event: Omit<PendingEvent, 'at'>): Omit<PendingEvent, 'at'> {
    const deadline = new Date(Date.parse(event.lease.deadline) + this.#ahead).toISOString();
    return { ...event, lease: { ...event.lease, deadline } };
  }

  async #runs(which: string, ...parameters: (string | null)[]): Promise<RunEvents[]> {
    const { rows } = await this.#client.query<RunBodies>(`${run} AND p.run_id IN (${which})`, parameters);
    return rows.map(parseBodies);
  }
}

export async function insert(client: ClientBase, events: ChainedEvent[]): Promise<void> {
  await client.query(
    'INSERT INTO cloud_cli.event (seq, body, hash) SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[])',
    [events.map(({ seq }) => seq), events.map(({ body }) => body), events.map(({ hash }) => hash)],
  );
}

export async function reserve(client: ClientBase, credential_key: string, run_id: string): Promise<void> {
  await client.query('INSERT INTO cloud_cli.flight (credential_key, run_id) VALUES ($1, $2)', [
    credential_key,
    run_id,
  ]);
}
