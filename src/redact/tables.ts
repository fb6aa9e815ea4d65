/** Secrets in the columns of a table whose header names them: tabs, bars, commas, or aligned by spaces. */
import { gradeOf } from './names.js';
import { isPlaceholder } from './values.js';
import type { Span } from './view.js';

/** What parts the cells, and what one cell of it looks like. */
const parts: readonly { readonly header: RegExp; readonly cells: RegExp }[] = [
  { header: /^[^\t]{1,256}(?:\t[^\t]{1,256}){1,40}$/, cells: /[^\t]+/g },
  { header: /^\s*[|│┃][^|│┃]{1,64}(?:[|│┃]+[^|│┃]{1,64}){1,40}[|│┃]+\s*$/, cells: /[^|│┃]+/g },
  { header: /^[\w "]{1,64}(?:,[\w "]{1,64}){1,40}$/, cells: /[^,]+/g },
  {
    header: /^\s*\S{1,64}(?: \S{1,32}){0,3}(?:\s{2,80}\S{1,64}(?: \S{1,32}){0,3}){1,40}\s*$/,
    cells: /\S+(?: \S+)*/g,
  },
];
const ruler = /^[\s|│┃+┼├┤╪═─=-]*$/;
const name = /^"?[A-Za-z][A-Za-z ()_-]*"?$/;

interface Cell extends Span {
  readonly text: string;
}

export function* tableSpans(text: string): Generator<Span> {
  let start = 0;
  let columns: { readonly index: number; readonly at: number; readonly cells: RegExp }[] = [];
  let width = 0;
  for (const line of text.split('\n')) {
    const header = headerOf(line);
    if (header !== undefined) {
      ({ columns, width } = header);
    } else if (!ruler.test(line) && columns.length > 0) {
      const cells = cellsOf(line, columns[0]!.cells);
      if (cells.length < 2 || cells.length > width + 1) columns = [];
      for (const column of columns) {
        const cell =
          cells.length === width
            ? cells[column.index]
            : cells.find(({ end, start }) => start <= column.at && column.at < end);
        if (cell !== undefined && !isPlaceholder(cell.text))
          yield { start: start + cell.start, end: start + cell.end };
      }
    } else if (line.trim() === '') {
      columns = [];
    }
    start += line.length + 1;
  }
}

/** A header is made of names alone; one of them is a secret's. */
function headerOf(line: string) {
  if (line.length > 2000) return undefined;
  for (const { header, cells: pattern } of parts) {
    if (!header.test(line)) continue;
    const cells = cellsOf(line, pattern);
    // What stands around the table on its first line does not make it another.
    const inner = cells.map(({ text }, index) =>
      index === 0 ? text.replace(/^.*[^\w ()-]\s*(?=\w)/, '') : text,
    );
    if (cells.length < 2 || !inner.every((text) => name.test(text))) continue;
    const columns = cells.flatMap(({ text, start }, index) =>
      gradeOf(text) === 'secret' ? [{ index, at: start, cells: pattern }] : [],
    );
    if (columns.length > 0) return { columns, width: cells.length };
  }
  return undefined;
}

function cellsOf(line: string, pattern: RegExp): Cell[] {
  const cells: Cell[] = [];
  for (const { 0: raw, index } of line.matchAll(pattern)) {
    const text = raw.trim();
    const start = index + raw.indexOf(text);
    if (text !== '') cells.push({ start, end: start + text.length, text });
  }
  return cells;
}
