/** Appends to a ledger on SQLite, which share a commit where they come together: its sync is most of what one takes. */
import type Database from 'better-sqlite3';
import { CloudCliError } from '../errors.js';
import type { NewEvent } from './ledger.js';
import { codeOf, told } from './sqlite-file.js';

/** An append that waits for its turn. */
interface Waiting {
  event: NewEvent;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** What a ledger does with an event, inside a transaction. */
interface Writer {
  /** Closes what nobody answers for any more, before an event that begins a run. */
  sweep(): void;
  /** @throws CloudCliError before anything of the event was written */
  write(event: NewEvent): void;
}

export class GroupCommit {
  readonly #db: Database.Database;
  readonly #path: string;
  readonly #writer: Writer;
  #waiting: Waiting[] = [];

  constructor(db: Database.Database, path: string, writer: Writer) {
    this.#db = db;
    this.#path = path;
    this.#writer = writer;
  }

  /** Resolves when the event is on the disk. */
  append(event: NewEvent): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.commit());
      this.#waiting.push({ event, resolve, reject });
    });
  }

  /** Commits what waits, in its order, in one transaction; an event that is refused takes no other with it. */
  commit(): void {
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
      if (waiting.some(({ event }) => event.kind === 'PENDING')) this.#writer.sweep();
      for (const each of waiting) {
        try {
          this.#writer.write(each.event);
        } catch (error) {
          // Ours come before anything of the event was written.
          if (!(error instanceof CloudCliError)) throw error;
          refusals.set(each, error);
        }
      }
    });
    all.immediate();
  }
}
