/** What can be fuzzed: a function of bytes that throws where a promise is broken, and what to begin with. */

export interface Target {
  name: string;
  /** Inputs to begin with, besides the files of `seeds/NAME`. */
  seeds: readonly (string | Uint8Array)[];
  /** Words that random bytes would seldom make. */
  words: readonly string[];
  /** @throws any error, which is a finding */
  run(input: Buffer): void | Promise<void>;
  close?(): Promise<void> | void;
}

/** Refuses, with what was found. */
export function expectThat(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}
