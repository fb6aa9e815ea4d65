/** The chain of hashes over the ledger's events, and the proof that nobody edited it. */
import { hash } from 'node:crypto';

/** A point of the chain, saved somewhere else to find a truncation later. */
export interface Head {
  /** Number of events up to here. */
  seq: number;
  /** Hash of the last of them, 64 hex digits. */
  hash: string;
}

/** What a verification found: the head of a chain that holds, else the first thing wrong after `events` good ones. */
export type Verification =
  | { ok: true; events: number; head: Head }
  | { ok: false; events: number; problem: string };

/** An event as an engine keeps it: its text and the hash that chains it to the one before. */
export interface ChainedEvent extends Head {
  /** The event as JSON, to the letter: what the hash is over. */
  body: string;
}

/** The hash before the first event. */
export const genesis = '0'.repeat(64);

/** JSON without what PostgreSQL reads in none: NUL, and half of a surrogate pair, as a cut in a text can leave. */
export function textOf(value: object): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'string' ? member.toWellFormed().replaceAll('\0', '\ufffd') : member,
  );
}

/** Whether the text begins with its number, as textOf writes it. */
function says(body: string, seq: number): boolean {
  // Digit by digit: to write the number down for each of a million events takes as long as half of its hash.
  let at = '{"seq":'.length;
  let said = 0;
  for (let digit = digitAt(body, at); digit !== undefined; digit = digitAt(body, at)) {
    said = said * 10 + digit;
    at += 1;
  }
  return said === seq && body.startsWith('{"seq":') && body[at] === ',';
}

function digitAt(text: string, at: number): number | undefined {
  const digit = text.charCodeAt(at) - 48;
  return digit >= 0 && digit <= 9 ? digit : undefined;
}

/** SHA-256 over the hash before and the text: 64 hex digits. */
export function chainHash(previous: string, body: string): string {
  return hash('sha256', `${previous}\n${body}`, 'hex');
}

/** Checks a chain event by event, from its first: finds an edit, a removal, a reordering and, given a saved head, a truncation. */
export class ChainCheck {
  readonly #saved: Head | undefined;
  #savedHolds: boolean;
  #head: Head = { seq: 0, hash: genesis };
  #problem: string | undefined;

  constructor(saved?: Head) {
    this.#saved = saved;
    this.#savedHolds = saved === undefined || (saved.seq === 0 && saved.hash === genesis);
  }

  /** The last event that held. */
  get head(): Head {
    return this.#head;
  }

  /** Takes the next event, and says what is wrong with it; with one that is wrong the check is at its end. */
  take({ seq, body, hash }: ChainedEvent): string | undefined {
    this.#problem = this.#problemOf(seq, body, hash);
    if (this.#problem !== undefined) return this.#problem;
    this.#head = { seq, hash };
    if (this.#saved?.seq === seq) this.#savedHolds = this.#saved.hash === hash;
    return undefined;
  }

  end(): Verification {
    const { seq } = this.#head;
    const problem = this.#problem ?? this.#truncation();
    return problem === undefined
      ? { ok: true, events: seq, head: this.#head }
      : { ok: false, events: seq, problem };
  }

  #problemOf(seq: number, body: string, hash: string): string | undefined {
    if (seq !== this.#head.seq + 1) return `event ${this.#head.seq + 1} is missing`;
    if (chainHash(this.#head.hash, body) !== hash)
      return seq === 1 ? 'event 1 was changed' : `event ${seq} was changed, or the one before it was`;
    return says(body, seq) ? undefined : `event ${seq} stands in another's place`;
  }

  #truncation(): string | undefined {
    if (this.#savedHolds) return undefined;
    const { seq } = this.#head;
    return this.#saved && this.#saved.seq > seq
      ? `the chain ends at event ${seq}, before the saved head at ${this.#saved.seq}: its end was cut off`
      : `event ${this.#saved?.seq} is not the one that the saved head names: the chain was replaced`;
  }
}

/** Checks a whole chain at hand: finds an edit, a removal, a reordering and, given a saved head, a truncation. */
export function verifyChain(events: Iterable<ChainedEvent>, saved?: Head): Verification {
  const check = new ChainCheck(saved);
  for (const event of events) if (check.take(event) !== undefined) break;
  return check.end();
}
