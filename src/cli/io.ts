/** The streams and environment a command works with, passed in so that it runs without a terminal in a test. */
import type { EventEmitter } from 'node:events';
import type { Readable, Writable } from 'node:stream';

type Terminal = { isTTY?: boolean };

/** What a command needs of standard output; any stream that can be written to has it. */
export type Output = EventEmitter &
  Terminal & { columns?: number; write(text: string, done?: (error?: Error | null) => void): boolean };

export interface Io {
  stdin: Readable & Terminal;
  stdout: Output;
  stderr: Writable & Terminal;
  env: NodeJS.ProcessEnv;
  /** Whether stdin and stderr are terminals, where that is known without opening them. */
  interactive?: boolean;
}

/** Whether a person reads stderr: only then is there a spinner. */
export function isInteractive(io: Io): boolean {
  return io.interactive ?? (io.stdin.isTTY === true && io.stderr.isTTY === true);
}

/** Data, to stdout. */
export function print(io: Io, text: string): void {
  io.stdout.write(`${text}\n`);
}

/** One JSON document, to stdout. */
export function printJson(io: Io, value: unknown): void {
  print(io, JSON.stringify(value, null, 2));
}

/** A line for a person, to stderr. */
export function say(
  io: Io,
  kind: 'error' | 'hint' | 'kept' | 'outcome' | 'run' | 'warning',
  text: string,
): void {
  io.stderr.write(`cloud-cli: ${kind}: ${text}\n`);
}

/** Names and values in two columns; what is not known is a dash. */
export function printPairs(io: Io, pairs: Record<string, unknown>): void {
  const width = Math.max(...Object.keys(pairs).map((name) => name.length));
  for (const [name, value] of Object.entries(pairs)) print(io, `${name.padEnd(width)}  ${value ?? '-'}`);
}

/** All of standard input. */
export async function readAll(io: Io): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** Thrown by a command whose exit status is not its own, such as `exec`; `words` say why, where nothing has. */
export class ExitStatus {
  constructor(
    readonly status: number,
    readonly words?: { error: string; hint: string },
  ) {}
}
