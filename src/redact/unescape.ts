/** Undoes one round of escaping: percent, backslash, HTML. Documents within documents take several rounds. */
import { stripView } from './strip.js';
import { rewrite, type View } from './view.js';

/** Each alternative captures under its own name, so that its meaning is a table below. */
const escapes = new RegExp(
  [
    /%u(?<hexA>[\da-f]{4})|%(?<utf8>[c-f][\da-f](?:%[89ab][\da-f]){1,3})|%(?<hexB>[\da-f]{2})/,
    /\\u(?<hexC>[\da-f]{4})|\\u\{(?<hexD>[\da-f]{1,6})\}|\\U(?<hexE>[\da-f]{8})|\\x(?<hexF>[\da-f]{2})/,
    /&#x(?<hexG>[\da-f]{1,6});|&#(?<decimal>\d{1,7});|&(?<entity>[a-z]{2,6});/,
    /\\(?<octal>[0-3][0-7]{2})|\\(?<letter>[befnrt])|\\(?<itself>["'`/\\&=:])/,
    // What loggers leave of a colour: `^[[31m`, or `[31m` without its ESC; not the `[5m]` of a query.
    /(?<colour>(?:\^\[)?\[\d{1,3}(?:;\d{1,3}){0,5}m(?!\]))/,
  ]
    .map((part) => part.source)
    .join('|'),
  'gi',
);

const letters: Record<string, string> = { b: '', e: '\x1b', f: '\n', n: '\n', r: '\n', t: '\t' };
const entities: Record<string, string> = {
  amp: '&',
  apos: "'",
  colon: ':',
  equals: '=',
  gt: '>',
  lt: '<',
  plus: '+',
  quot: '"',
  sol: '/',
};

export function undoEscapes(view: View): View {
  return stripView(rewrite(view, escapes, (match) => meaning(match.groups!) ?? match[0]));
}

function meaning(groups: Record<string, string | undefined>): string | undefined {
  const { utf8, decimal, octal, letter, itself, entity, colour } = groups;
  if (itself !== undefined) return itself;
  if (colour !== undefined) return '';
  if (letter !== undefined) return letters[letter.toLowerCase()];
  if (entity !== undefined) return entities[entity.toLowerCase()];
  if (utf8 !== undefined) return Buffer.from(utf8.replaceAll('%', ''), 'hex').toString();
  if (octal !== undefined) return character(Number.parseInt(octal, 8));
  if (decimal !== undefined) return character(Number(decimal));
  const hex = Object.entries(groups).find(([name, value]) => name.startsWith('hex') && value !== undefined);
  return hex && character(Number.parseInt(hex[1]!, 16));
}

function character(code: number): string | undefined {
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
