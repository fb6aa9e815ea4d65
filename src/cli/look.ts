/** What this terminal can show: its colours, its characters and its size. */
import kleur from 'kleur';
import type { Io } from './io.js';

type Style = (text: string) => string;

export interface Look {
  unicode: boolean;
  color: boolean;
  /** Whether the cursor can move, so that a line can be written over. */
  animated: boolean;
  columns: () => number;
  rows: () => number;
  tick: string;
  cross: string;
  bold: Style;
  dim: Style;
  good: Style;
  bad: Style;
  warn: Style;
  accent: Style;
  /** Words from elsewhere, without what the terminal would obey or cannot show. */
  text: Style;
  /** The same look for the prompts of inquirer. */
  theme: ReturnType<typeof themeOf>;
}

export function lookOf(io: Io): Look {
  const { env } = io;
  const unicode = showsUnicode(env);
  const color = (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb' && io.stderr.isTTY === true;
  // kleur decides by stdout and counts an empty NO_COLOR as set.
  kleur.enabled = color;
  const screen = io.stderr as { columns?: number; rows?: number };
  const look = {
    unicode,
    color,
    animated: env.TERM !== 'dumb',
    columns: () => screen.columns || 80,
    rows: () => screen.rows || 24,
    tick: unicode ? '✔' : '*',
    cross: unicode ? '✘' : 'x',
    bold: (text: string) => kleur.bold(text),
    dim: (text: string) => kleur.dim(text),
    good: (text: string) => kleur.green(text),
    bad: (text: string) => kleur.red(text),
    warn: (text: string) => kleur.yellow(text),
    accent: (text: string) => kleur.cyan(text),
    text: (text: string) => (unicode ? printable(text) : ascii(printable(text))),
  };
  return { ...look, theme: themeOf(look) };
}

/** `text` in lines of at most `width` characters; a longer word stays whole, so that it can be copied. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => {
    const lines: string[] = [];
    for (const word of line.split(' ')) {
      const last = lines.at(-1);
      if (last !== undefined && last.length + 1 + word.length <= width) lines.push(`${lines.pop()} ${word}`);
      else lines.push(word);
    }
    return lines;
  });
}

/** A locale that is named and is not UTF-8, a kernel console and a dumb terminal have ASCII for sure, and no more. */
function showsUnicode(env: NodeJS.ProcessEnv): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return env.TERM !== 'dumb' && env.TERM !== 'linux' && (locale === '' || /utf-?8/i.test(locale));
}

/** Control and direction marks would be obeyed; a line break is a space here. */
function printable(text: string): string {
  return text.replace(/[\n\r\t]+/g, ' ').replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '?');
}

function ascii(text: string): string {
  return text
    .replace(/[‘’]/g, "'")
    .replace(/[“”]/g, '"')
    .replace(/[–—]/g, '-')
    .replaceAll('…', '...')
    .replace(/[^\x20-\x7e]/gu, '?');
}

function themeOf(look: Omit<Look, 'theme'>) {
  const { unicode, accent, bad, bold, dim, good } = look;
  const key = (name: string) =>
    unicode
      ? name
      : name
          .replace('↑↓', 'up/down')
          .replace('⏎', 'enter')
          .replace(/[^\x20-\x7e]/g, '?');
  return {
    prefix: { idle: accent('?'), done: good(look.tick) },
    spinner: { interval: 1000, frames: [accent('?')] },
    icon: {
      cursor: unicode ? '❯' : '>',
      checked: unicode ? good('◉') : '[x]',
      unchecked: unicode ? '◯' : '[ ]',
    },
    style: {
      answer: accent,
      message: bold,
      error: (text: string) => bad(`! ${text}`),
      defaultAnswer: (text: string) => dim(`(${text})`),
      help: dim,
      highlight: accent,
      key: bold,
      description: dim,
      keysHelpTip: (keys: [string, string][]) =>
        dim(keys.map(([name, action]) => `${key(name)} ${action}`).join(', ')),
      renderSelectedChoices: (chosen: readonly { short: string }[]) =>
        chosen.length === 0 ? 'none' : chosen.map(({ short }) => short).join(', '),
    },
  };
}
