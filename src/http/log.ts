/** What a handler writes its log to; a pino logger fits as it is. */

/** Members are plain values, none of them secret. */
export interface Log {
  debug(members: object, message: string): void;
  info(members: object, message: string): void;
  error(members: object, message: string): void;
}

/** Writes nothing. */
export const noLog: Log = { debug: () => {}, info: () => {}, error: () => {} };
