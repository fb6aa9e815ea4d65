/** Names and values for a person: in two columns, or below one another where the terminal is narrow. */
import { type Look, wrap } from '../look.js';

/** A name, and what is to be said of it; several lines are several items. */
export type Fact = readonly [name: string, value: string | readonly string[]];

const leastColumns = 60;

export function factLines(facts: readonly Fact[], look: Look): string[] {
  const columns = look.columns() - 1;
  const widest = Math.max(...facts.map(([name]) => name.length));
  const beside = columns >= leastColumns;
  const indent = beside ? widest + 4 : 2;
  return facts.flatMap(([name, value]) => {
    const items = typeof value === 'string' ? [value] : value;
    const lines = items.flatMap((item) => wrap(look.text(item), columns - indent));
    const body = lines.map((line) => `${' '.repeat(indent)}${line}`.trimEnd());
    if (!beside) return [look.bold(name), ...body];
    const [first = '', ...rest] = body;
    return [`  ${look.bold(name.padEnd(widest))}${first.slice(widest + 2)}`, ...rest];
  });
}
