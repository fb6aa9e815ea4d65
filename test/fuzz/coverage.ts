/** Which of our code ran, by V8's own block coverage. A look takes milliseconds, so that it is for many runs at once. */
import { type Profiler, Session } from 'node:inspector';

/** Characters from `start` up to `end`, without it. */
type Span = readonly [start: number, end: number];

/** What did not run of each function that did, by its name and place. */
type Idle = Map<string, Span[]>;

export class Coverage {
  readonly #session = new Session();
  readonly #url: string;
  #idle: Idle = new Map();

  /** @param url the one script that counts */
  constructor(url: string) {
    this.#url = url;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    this.look();
  }

  /** What ran since the last look. */
  look(): Idle {
    let found: Profiler.FunctionCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error) throw error;
      found = result.find(({ url }) => url === this.#url)?.functions ?? [];
    });
    return new Map(
      found
        .filter(({ ranges }) => ranges[0] && ranges[0].count > 0)
        .map(({ functionName, ranges }) => [
          `${functionName} ${ranges[0]!.startOffset}`,
          ranges
            .filter(({ count }) => count === 0)
            .map(({ startOffset, endOffset }) => [startOffset, endOffset] as const),
        ]),
    );
  }

  /** Whether `ran` has a function or a block that never ran before. */
  isNew(ran: Idle): boolean {
    return [...ran].some(([name, idle]) => {
      const known = this.#idle.get(name);
      return known === undefined || lengthOf(overlap(known, idle)) < lengthOf(known);
    });
  }

  add(ran: Idle): void {
    for (const [name, idle] of ran) this.#idle.set(name, overlap(this.#idle.get(name) ?? idle, idle));
  }

  /** Functions that ran, and characters of them that did not. */
  toString(): string {
    const idle = [...this.#idle.values()].reduce((sum, spans) => sum + lengthOf(spans), 0);
    return `${this.#idle.size} functions, ${idle} characters of them not reached`;
  }

  /** Without it nothing guides: then V8 knows our script by another address. */
  get isThere(): boolean {
    return this.#idle.size > 0;
  }

  close(): void {
    this.#session.disconnect();
  }
}

function overlap(left: readonly Span[], right: readonly Span[]): Span[] {
  return left.flatMap(([start, end]) =>
    right
      .map(([from, to]): Span => [Math.max(start, from), Math.min(end, to)])
      .filter(([from, to]) => from < to),
  );
}

function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, [start, end]) => sum + end - start, 0);
}
