/** Keys in armour (PEM, OpenSSH, PGP), and text spelled out in bytes, which no word of it gives away. */
import type { Span } from './view.js';

const head = /-----BEGIN [A-Z\d ]{1,64}-----/g;
/** RFC 1421 headers, PGP's, and lines of base64; the last may be cut. */
const line =
  /[ \t|>]*(?:(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset): [^\n]*|(?![A-Z]?[a-z]+[ \t|]*(?:\n|$))[\w+/=]*)[ \t|]*(?:\n|$)/y;
/** The same on one line. */
const words = /[ \t]*[\w+/=]{24,}|[ \t]+[\w+/=]{1,23}(?=[ \t]*(?:-----|$))/y;

/** What is between BEGIN and END; where END was cut off, as far as it looks like a key. */
export function* armourSpans(text: string): Generator<Span> {
  let from = 0;
  for (const { 0: begin, index } of text.matchAll(head)) {
    if (index < from) continue;
    const start = index + begin.length;
    const next = text.indexOf('-----', start);
    from = next >= 0 && text.startsWith('-----END', next) ? next : runOut(text, start);
    if (/\S/.test(text.slice(start, from))) yield { start, end: from };
  }
}

function runOut(text: string, start: number): number {
  for (const pattern of [line, words]) {
    let end = start;
    for (pattern.lastIndex = start; pattern.test(text) && pattern.lastIndex > end; ) end = pattern.lastIndex;
    const body = text.slice(start, end).trimEnd();
    if (body !== '') return start + body.length;
  }
  return start;
}

/** A byte of printable text, in hexadecimal and in decimal. Nothing random consists of sixteen in a row. */
const hexByte = '(?:[2-7][\\da-f]|0[9ad])';
const hexItem = `(?:0x)?${hexByte}[\\s,:]{1,2}`;
const decimalItem = '(?:9|1[03]|3[2-9]|[4-9]\\d|1[01]\\d|12[0-6]),\\s{0,8}';
// A row begins where no item stands before it: one that leads to nothing must not be gone through from each of its items.
const spelled: readonly RegExp[] = [
  new RegExp(`(?<![\\da-f])${hexByte}{16,}(?![\\da-f])`, 'gi'),
  new RegExp(
    `(?<![\\da-f]|0x)(?<!(?<![\\da-f])${hexItem})(?:${hexItem}){11,}(?:0x)?[2-7][\\da-f](?![\\da-f])`,
    'gi',
  ),
  new RegExp(`(?<!\\d)(?<!(?<!\\d)${decimalItem})(?:${decimalItem}){11,}\\d{2,3}(?!\\d)`, 'g'),
  // The lines of a hex dump, with the text beside the bytes, and the numbers of a key as openssl prints them.
  /(?<=(?:^|\n)[ \t|]{0,16}(?:0x)?[\da-f]{4,8}:?[ \t]{1,4})(?:[\da-f]{2,4}[ \t]+){4,}[^\n]*/gi,
  /(?<![\da-f])(?:[\da-f]{2}:\s{0,24}){40,}[\da-f]{0,2}/gi,
];

export function* spelledSpans(text: string): Generator<Span> {
  for (const pattern of spelled) {
    for (const match of text.matchAll(pattern))
      yield { start: match.index, end: match.index + match[0].length };
  }
}
