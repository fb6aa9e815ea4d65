/** Tells random strings from names, paths and words: the last net, for secrets that no name and no shape gives away. */
import type { Span } from './view.js';

/** The commonest letter pairs of English and of identifiers: three quarters of theirs, a fifth of a random text's. */
const commonPairs = new Set(
  (
    'ac ad ag al am an ap ar as at be bl ca ce ch ck cl co cr ct da de di ea ec ed ef el em en ep er es et ex ey ' +
    'fi fo ge ha he hi ic id ie if ig il im in io is it ke la le lf li ll lo ls lt lu ma me mo mp na nc nd ne ng ' +
    'ni no ns nt oc od of ol om on op or ot ou pa pe pl po pr pt qu ra re ri rn ro rr rs rt ry sc se sh si so ss ' +
    'st su ta te th ti to tr ts tt tu ty ue ul um un ur us ut va ve yp'
  ).split(' '),
);

/** Between separators: a number, a digest, a word in one case. */
const wholePiece = /(?<![A-Za-z\d])(?:\d+|(?=[a-f]*\d)[\da-f]{7,}|[A-Z]?[a-z]{2,}|[A-Z]{2,})(?![A-Za-z\d])/g;

/** Which part of the letters and digits belongs to words, numbers and digests. */
function explained(text: string): number {
  let known = 0;
  const rest = text.replace(wholePiece, '');
  for (const [word] of rest.matchAll(/[A-Z]?[a-z]{2,}|[A-Z]{3,}/g)) {
    if (word.length >= 3 && isPronounceable(word)) known += word.length;
  }
  for (const [piece] of text.matchAll(wholePiece)) known += piece.length;
  return known / text.replace(/[^A-Za-z\d]/g, '').length;
}

function isPronounceable(word: string): boolean {
  const letters = word.toLowerCase();
  let common = 0;
  for (let index = 1; index < letters.length; index++) {
    if (commonPairs.has(letters.slice(index - 1, index + 1))) common++;
  }
  return common * 2 >= letters.length - 1;
}

/** A word, a name of words, a number, an id or a place: nothing that a secret looks like. */
export function isPlain(text: string): boolean {
  return plain.test(text) || explained(text) > 0.7;
}

const plain = new RegExp(
  [
    /[A-Z]?[a-z]+(?:[-_. ][a-z\d]+)*/, // a word, or words joined
    /[\d.,:TZ+-]+/, // a number, a date, an address
    /v?\d+(?:\.\w+)+/, // a version
    /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/, // a UUID
    /(?:A3T|ABIA|ACCA|AGPA|AIDA|AIPA|AKIA|ANPA|ANVA|AROA|ASCA|ASIA)[\dA-Z]{8,}/, // an AWS id
    /[A-Z][A-Z_]*\d{0,8}/, // an error code
    /arn:.*|https?:\/\/.*|[./~].*|[\w.+-]+@[\w.-]+/, // an ARN, an address, a path
  ]
    .map((part) => `^(?:${part.source})$`)
    .join('|'),
);

/** Random for its length: short strings need all three kinds of characters, since names seldom mix them. */
export function looksRandom(run: string): boolean {
  if (run.length < 20 || /^[\da-f]+$|^[\dA-F]+$|^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(run)) {
    return run.length > 128;
  }
  const lower = /[a-z]/.test(run);
  const upper = /[A-Z]/.test(run);
  const digit = /\d/.test(run);
  // Nothing is learnt from more than this, and a hostile megabyte is not read for each of its parts.
  const known = explained(run.slice(0, 512));
  if (lower && upper && digit) return known < 0.5;
  if (lower && upper) return run.length >= 24 && known < 0.35;
  if (upper && digit) return run.length >= 32 && known < 0.35;
  return lower && digit && run.length >= 40 && known < 0.35;
}

/** Random, though too short to be told from a name unless something else speaks against it. */
export function isMixed(text: string): boolean {
  return (
    text.length >= 8 &&
    /[a-z]/.test(text) &&
    /[A-Z]/.test(text) &&
    /\d/.test(text) &&
    explained(text.slice(0, 512)) < 0.5
  );
}

/** What may look random and tells nothing: ids, digests, and the page tokens of a listing. */
const harmlessLabel = new RegExp(
  `(?:${[
    /(?<!(?:secret|session|external|device)[-_ ]?)(?:(?<![A-Za-z])[kK]?[iI][dD]|[a-z]I[dD])(?:-2)?/,
    /(?:request|trace|span|correlation|client|tenant|project|account|object|host|user|role|key|version|unique)id/,
    /(?<![A-Za-z])(?:[rR]ay|RAY)|[eE][tT]ag|traceparent|[tT]race[-_][cC]ontext|[iI]ntegrity|[mM][dD]5|[sS][hH][aA]-?\d{1,3}/,
    /[dD]igest|[cC]hecksum|(?:[fF]inger|[tT]humb)print|(?:[nN]ext|[pP]age|[pP]agination|[cC]ontinuation)[-_]?[tT]oken/,
  ]
    .map((label) => label.source)
    .join('|')})["']?\\s{0,3}[-:=]\\s{0,3}(?:b|W/)?["']?$`,
);

export function* opaqueSpans(text: string): Generator<Span> {
  for (const { 0: run, index } of text.matchAll(/[\w+/~-]{20,}={0,2}/g)) {
    if (/^sha\d{1,3}-/.test(run)) continue;
    for (const part of randomParts(run)) {
      const start = index + part.start;
      const before = text.slice(Math.max(0, start - 48), start);
      if (harmlessLabel.test(before)) continue;
      // A piece of a token that ends just before, in front of its dot.
      const piece = /(?<![\w.])[\w-]{8,}\.$/.exec(before)?.[0] ?? '';
      yield { start: isMixed(piece) ? start - piece.length : start, end: index + part.end };
    }
  }
}

/** A path is judged step by step, anything else as a whole: secrets in base64 have slashes too. */
function* randomParts(run: string): Generator<Span> {
  const steps = run.split('/');
  const words = steps.filter((step) => step.length >= 3 && step.length < 64 && explained(step) > 0.7);
  const isPath = words.length >= 2 && words.join('').length * 5 >= run.length;
  if (!isPath && looksRandom(run)) {
    yield { start: 0, end: run.length };
    return;
  }
  let start = 0;
  for (const step of steps) {
    if (steps.length > 1 && looksRandom(step)) yield { start, end: start + step.length };
    start += step.length + 1;
  }
}
