/** How runs are found in the tables of SQLite. */
import {
  parseBodies,
  type RunBodies,
  type RunEvents,
  type RunFilter,
  rowOf,
  sinceOf,
  type WorkloadRun,
} from './ledger.js';
import type { Statements } from './sqlite-statements.js';

/** Each run with its events side by side; conditions follow. */
const run = `
  SELECT p.body AS pending, i.body AS issued, e.body AS ended
  FROM event p
  LEFT JOIN event i ON i.run_id = p.run_id AND i.kind = 'ISSUED'
  LEFT JOIN event e ON e.run_id = p.run_id AND e.kind IN ('SUCCEEDED', 'FAILED')
  WHERE p.kind = 'PENDING'`;

/** The same from its end: each failed run, the one that failed last first. */
const failedRun = `
  SELECT p.body AS pending, i.body AS issued, e.body AS ended, p.seq AS began_at, e.seq AS ended_at
  FROM event e INDEXED BY event_by_failure
  CROSS JOIN event p ON p.run_id = e.run_id AND p.kind = 'PENDING'
  LEFT JOIN event i ON i.run_id = e.run_id AND i.kind = 'ISSUED'
  WHERE e.kind = 'FAILED'`;

/** A list from a time on that has fewer runs than this is found by their times. */
const fewRuns = 1000;

/** How a list finds the runs of a status. */
const statusIs = {
  PENDING: 'p.run_id IN (SELECT run_id FROM flight) AND e.kind IS NULL',
  SUCCEEDED: "e.kind = 'SUCCEEDED'",
  FAILED: "e.kind = 'FAILED'",
} as const;

/** The runs of a ledger. Its methods throw what SQLite does. */
export class Runs {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** The events of a run side by side, or an empty object where there is no such run. */
  eventsOf(run_id: string): RunEvents | Record<string, undefined> {
    const bodies = this.#statements.of<[string], RunBodies>(`${run} AND p.run_id = ?`).get(run_id);
    return bodies ? parseBodies(bodies) : {};
  }

  get(run_id: string): WorkloadRun | undefined {
    return this.#rows(`${run} AND p.run_id = ?`, [run_id])[0];
  }

  latest(credential_key: string): WorkloadRun | undefined {
    const newest = `${run} AND p.credential_key = ? AND e.kind = 'SUCCEEDED' ORDER BY p.seq DESC LIMIT 1`;
    return this.#rows(newest, [credential_key])[0];
  }

  list(filter: RunFilter = {}): WorkloadRun[] {
    const since = sinceOf(filter);
    const conditions: [string, string | undefined][] = [
      ['p.provider = ?', filter.provider],
      ['p.credential_key = ?', filter.key],
      ['p.actor = ?', filter.actor],
      ['p.at >= ?', since],
      ["p.seq < (SELECT seq FROM event WHERE run_id = ? AND kind = 'PENDING')", filter.before],
    ];
    const given = conditions.filter((pair): pair is [string, string] => pair[1] !== undefined);
    const where = given.map(([condition]) => ` AND ${condition}`).join('');
    const parameters = given.map(([, value]) => value);
    const limit = filter.limit ?? -1;
    const isShort = since !== undefined && this.#hasFewSince(since);
    if (filter.status === 'FAILED' && !isShort) return this.#failures(where, parameters, limit);
    const from = isShort ? run.replace('event p', 'event p INDEXED BY event_by_time') : run;
    const status = filter.status === undefined ? '' : ` AND ${statusIs[filter.status]}`;
    return this.#rows(`${from}${where}${status} ORDER BY p.seq DESC LIMIT ?`, [...parameters, limit]);
  }

  trace(what: string): WorkloadRun[] {
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
    return this.#rows(`${run} AND p.run_id IN (${found}) ORDER BY p.seq DESC`, parameters);
  }

  #hasFewSince(since: string): boolean {
    const found = `SELECT count(*) AS runs FROM (SELECT 1 FROM event WHERE kind = 'PENDING' AND at >= ? LIMIT ${fewRuns})`;
    return this.#statements.of<[string], { runs: number }>(found).get(since)!.runs < fewRuns;
  }

  /**
   * Failed runs by when they began, the newest first. They are walked by when they ended: of those still to come each
   * ended, and so began, before the one at hand, so that the walk ends where none of them can be among the newest.
   */
  #failures(where: string, parameters: string[], limit: number): WorkloadRun[] {
    const walk = this.#statements.of<string[], RunBodies & { began_at: number; ended_at: number }>(
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

  #rows(sql: string, parameters: (string | number)[]): WorkloadRun[] {
    return this.#statements
      .of<(string | number)[], RunBodies>(sql)
      .all(...parameters)
      .map(rowIn);
  }
}

function byBeginning<R extends { began_at: number }>(runs: R[]): R[] {
  return runs.sort((left, right) => right.began_at - left.began_at);
}

function rowIn(bodies: RunBodies): WorkloadRun {
  const { pending, issued, ended } = parseBodies(bodies);
  return rowOf(pending, issued, ended);
}
