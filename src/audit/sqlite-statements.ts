/** The statements of a ledger on SQLite, prepared once each: preparing takes longer than most of them run. */
import type Database from 'better-sqlite3';

export class Statements {
  readonly #db: Database.Database;
  readonly #prepared = new Map<string, Database.Statement<unknown[], unknown>>();

  constructor(db: Database.Database) {
    this.#db = db;
  }

  of<P extends unknown[], R>(sql: string): Database.Statement<P, R> {
    const known = this.#prepared.get(sql) ?? this.#db.prepare(sql);
    this.#prepared.set(sql, known);
    return known as Database.Statement<P, R>;
  }
}
