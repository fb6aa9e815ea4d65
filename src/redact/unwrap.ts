/** Joins what was wrapped hard: the pieces of a token at 64, 76 or 80 columns, in table cells, behind a backslash. */
import { looksRandom } from './opaque.js';
import { type Span, type View, without } from './view.js';

/** The end of a line, the break with what a table, a quote or a shell puts around it, and the next line's beginning. */
const wrap =
  /(?<![\w+/=.~%-])([\w+/=.~%-]+)((?:["'] ?\+?|[ \t]*[|│┃\\]|)[ \t]*\n[ \t]*(?:[|│┃>][ \t|│┃]*|["'])?)(?=([\w+/=.~%-]{1,512})(.?))/gu;
/** Widths that terminals, mailers, PEM and MIME wrap at. */
const widths = new Set([60, 64, 70, 72, 76, 77, 78, 79, 80, 100, 120, 132]);

export function unwrap(view: View): View {
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
    return isCut(gap, columns, next) && looksRandom(left);
  const random = chained || looksRandom(left.slice(-512));
  if (random && (looksRandom(right) || (isLast(next) && right.length <= columns && !isName(right))))
    return true;
  return isCut(gap, columns, next) && !isName(right);
}

/** Cut where the line was full, in the middle of a word. */
function isCut(gap: string, columns: number, next: string): boolean {
  return (gap === '\n' && widths.has(columns) && next !== ' ') || gap === '\\\n';
}

function isLast(next: string): boolean {
  return /^$|["'|│┃,;\\)\]}]/.test(next);
}

/** A line of its own: a region, a number, a date, an id. */
function isName(right: string): boolean {
  return /^[a-z]+(?:[-_.][a-z\d]+)+$|^[\d.-]+$|^[\da-f]{8}-[\da-f-]{27}$|^A[A-Z]{3}[A-Z\d]{12,}$/.test(right);
}
