/** Rows under headings. */
import { type Io, print } from './io.js';

/** What may go where a terminal is narrower than a table. */
export interface Spare {
  /** Headings whose long cells are cut first. */
  cut: readonly string[];
  /** Headings that are then left out, the first of them first. */
  omit: readonly string[];
}

/** Wide enough to tell one actor from another. */
const leastWidth = 10;
const gap = '  ';

/** Columns as wide as they need. On a terminal no wider than it, as far as `spare` allows; elsewhere whole, for scripts. */
export function printTable(
  io: Io,
  headings: readonly string[],
  rows: readonly (readonly unknown[])[],
  spare: Spare = { cut: [], omit: [] },
): void {
  const lines = [headings, ...rows].map((row) =>
    row.map((cell) => String(cell ?? '-').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')),
  );
  const columns = fitted(lines, spare, (io.stdout.isTTY && io.stdout.columns) || Number.POSITIVE_INFINITY);
  for (const line of lines) {
    const cells = columns.map(({ index, width }) => cutTo(line[index]!, width).padEnd(width));
    print(io, cells.join(gap).trimEnd());
  }
}

interface Column {
  index: number;
  width: number;
}

function fitted(lines: readonly (readonly string[])[], { cut, omit }: Spare, most: number): Column[] {
  const [headings = []] = lines;
  const whole = headings.map((heading, index) => ({
    heading,
    index,
    width: Math.max(...lines.map((line) => line[index]!.length)),
  }));
  for (let gone = 0; ; gone += 1) {
    const columns = whole
      .filter(({ heading }) => !omit.slice(0, gone).includes(heading))
      .map((column) => ({ ...column }));
    const excess = () =>
      columns.reduce((sum, { width }) => sum + width, (columns.length - 1) * gap.length) - most;
    const cuttable = columns.filter(({ heading }) => cut.includes(heading));
    while (excess() > 0) {
      const [widest] = cuttable.filter(({ width }) => width > leastWidth).sort((a, b) => b.width - a.width);
      if (!widest) break;
      widest.width -= 1;
    }
    if (excess() <= 0 || gone === omit.length) return columns;
  }
}

function cutTo(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 3)}...`;
}
