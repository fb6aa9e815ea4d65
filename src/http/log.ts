/** What a handler writes its log to; a pino logger fits as it is. */

/** Members are plain values, none of them secret. */
export interface Log {
  /** What is of use to whoever looks for a fault. */
  debug(members: object, message: string): void;
  /** One line per call. */
  info(members: object, message: string): void;
  /** A defect, or a dependency that fails. */
  error(members: object, message: string): void;
}

/** Writes nothing. */
export const noLog: Log = { debug: () => {}, info: () => {}, error: () => {} };
