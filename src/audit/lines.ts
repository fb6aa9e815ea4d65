/** A chain as JSON lines, as `cloud-cli audit export` prints it: each event's own text with its hash behind. */
import { StringDecoder } from 'node:string_decoder';
import { type CloudCliError, invalidRequest } from '../errors.js';
import type { ChainedEvent } from './chain.js';

/** Characters in a line: far above what an event has, far below what memory has. */
const longest = 4 * 1024 * 1024;

/** The text is chained as it stands, so that it is exported as it stands. */
export function lineOf({ body, hash }: ChainedEvent): string {
  return `${body.slice(0, -1)},"hash":"${hash}"}\n`;
}

/** Reads back what {@link lineOf} made, from a stream of any chunks. */
export async function* eventsOf(chunks: AsyncIterable<Uint8Array | string>): AsyncIterable<ChainedEvent> {
  let number = 0;
  for await (const line of linesOf(chunks)) {
    number += 1;
    const [, start, seq, hash] = /^(\{"seq":(\d{1,15}),.*),"hash":"([0-9a-f]{64})"\}$/s.exec(line) ?? [];
    if (start === undefined) throw noLine(number);
    yield { seq: Number(seq), body: `${start}}`, hash: hash! };
  }
  if (number === 0) throw refused('holds no event');
}

/** Split at line feeds alone: an event's text may hold other characters that end a line elsewhere. */
async function* linesOf(chunks: AsyncIterable<Uint8Array | string>): AsyncIterable<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let number = 0;
  for await (const chunk of chunks) {
    const [first = '', ...more] = (
      typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk))
    ).split('\n');
    rest += first;
    for (const next of more) {
      number += 1;
      yield rest;
      rest = next;
    }
    if (rest.length > longest) throw noLine(number + 1);
  }
  if (rest !== '') yield rest;
}

function noLine(number: number): CloudCliError {
  return refused(`line ${number} is not a line of an export`);
}

function refused(message: string): CloudCliError {
  return invalidRequest(
    [{ field: 'events', message }],
    'Nothing was imported. Give the whole and unchanged output of `cloud-cli audit export`.',
  );
}
