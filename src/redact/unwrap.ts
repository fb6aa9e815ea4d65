/** Joins what was wrapped hard: the pieces of a token at 64, 76 or 80 columns, in table cells, behind a backslash. */
import { isMixed, looksRandom } from './opaque.js';
import { type Span, type View, without } from './view.js';

/** The end of a line, the break with what a table, a quote or a shell puts around it, and the next line's beginning. */
const wrap =
  /(?<![\w+/=.~%-])([\w+/=.~%-]+)((?:["'] ?\+?|[ \t]*[|│┃\\]|)[ \t]*\n[ \t]*(?:[|│┃>][ \t|│┃]*|["'])?)(?=([\w+/=.~%-]{1,512})(.?))/gu;
/** Widths that terminals, mailers, PEM and MIME wrap at. */
const widths = new Set([60, 64, 70, 72, 76, 77, 78, 79, 80, 100, 120, 132]);

export function unwrap(labelled: View): View {
  const view = unlabelled(labelled);
  const breaks: Span[] = [];
  let chained = false;
  let expected = -1;
  for (const match of view.text.matchAll(wrap)) {
    const [whole, left, gap, right, next] = match as unknown as [string, string, string, string, string];
    const start = match.index + left.length;
    chained &&= match.index === expected;
    const columns = start - (view.text.lastIndexOf('\n', start - 1) + 1);
    chained = belongs(left, chained, gap, right, next, columns);
    if (chained) breaks.push({ start, end: start + gap.length });
    expected = match.index + whole.length;
  }
  return without(view, breaks);
}

function belongs(
  left: string,
  chained: boolean,
  gap: string,
  right: string,
  next: string,
  columns: number,
): boolean {
  // The end of base64 is the end of it.
  if (left.endsWith('=')) return false;
  // The next line has a name of its own, or begins an armour's END.
  if (/^[:=]/.test(next) || /^[A-Za-z_][\w.-]*=+[^=]/.test(right) || right.startsWith('---')) return false;
  if (/^(?:[A-Z]?[a-z]+|[A-Z]+)[.]?$/.test(right) && right.length < 20)
    return isCut(gap, columns, next, right) && looksRandom(left);
  const random = chained || looksRandom(left.slice(-512));
  if (random && (looksRandom(right) || (isLast(next) && right.length <= columns && !isName(right))))
    return true;
  return isCut(gap, columns, next, right) && !isName(right);
}

/** Cut where the line was full, in the middle of a word. */
function isCut(gap: string, columns: number, next: string, right: string): boolean {
  return (gap === '\n' && widths.has(columns) && (next !== ' ' || isMixed(right))) || gap === '\\\n';
}

function isLast(next: string): boolean {
  return /^$|["'|│┃,;\\)\]}]/.test(next);
}

/** A line of its own: a region, a number, a date, an id. */
function isName(right: string): boolean {
  return /^[a-z]+(?:[-_.][a-z\d]+)+$|^[\d.-]+$|^[\da-f]{8}-[\da-f-]{27}$|^A[A-Z]{3}[A-Z\d]{12,}$/.test(right);
}

/** What a log puts before each line (a time, a level, a container's name) ends in one of these. */
const labelEnd = /[\s|│┃>:\]]/;
const longestLabel = 120;

/** Without what each of two or more lines in a row begins with, whatever its digits count: it parts the pieces of a token. */
function unlabelled(view: View): View {
  const { text } = view;
  const labels: Span[] = [];
  let before = 0;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const next = newline < 0 ? text.length : newline + 1;
    const after = shared(text, start, next);
    const length = Math.max(before, after);
    if (length > 0) labels.push({ start, end: start + length });
    before = after;
    start = next;
  }
  return without(view, labels);
}

/** How far both lines begin alike, up to where a label can end. Indentation is no label. */
function shared(text: string, line: number, other: number): number {
  let length = 0;
  while (length < longestLabel && isAlike(text[line + length], text[other + length])) length++;
  while (length > 0 && !labelEnd.test(text[line + length - 1]!)) length--;
  return text.slice(line, line + length).trim() === '' ? 0 : length;
}

function isAlike(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined || one === '\n') return false;
  return one === other || (isDigit(one) && isDigit(other));
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}
