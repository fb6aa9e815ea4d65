/** Any bytes at all, over and over: one clean line, in time that grows no faster than the text. */
import { leaks } from '../../../fixtures/redaction/cases.js';
import { hostile } from '../../../fixtures/redaction/hostile.js';
import { redact } from '../../../src/redact.js';
import { Secret } from '../../../src/secret.js';
import { expectThat, type Target } from '../target.js';
import { isOneLine } from './redaction.js';

/** Characters of the long text, and how often the short one goes into it. */
const long = 16 * 1024;
const times = 4;
/** What is repeated is short: a long text holds too few of them to tell. */
const mostRepeated = 64;
/** Milliseconds below which the machine's own unrest counts for more than the text. */
const unrest = 100;

export const redactionTime: Target = {
  name: 'redaction-time',
  seeds: [...Object.values(hostile), ...leaks.slice(0, 60).map(({ text }) => String(text).slice(0, 400))],
  words: [
    ...Object.values(hostile),
    '"',
    "'",
    ' ',
    '\n',
    '\t',
    ',',
    ':',
    '=',
    '|',
    '>',
    '0x',
    'a1',
    '9',
    'A',
    '/',
    '-',
    '.',
    '&',
    '%',
    '\\',
    '(',
    '[',
    '{',
  ],
  run(input) {
    const text = input.toString('utf8');
    isOneLine(redact(input));
    isOneLine(redact(text, { secrets: [new Secret(text.slice(0, 12))] }));
    if (text.length === 0 || text.length > mostRepeated) return;
    const repeated = text.repeat(Math.ceil(long / text.length)).slice(0, long);
    const ms = timeOf(repeated);
    if (ms < unrest) return;
    const share = timeOf(repeated.slice(0, long / times));
    // Quadratic time would be sixteenfold.
    const isLinear = ms <= 2.5 * times * share || timeOf(repeated) <= 2.5 * times * share;
    expectThat(
      isLinear,
      `takes ${Math.round(ms)} ms for ${long} characters, ${Math.round(share)} for a fourth`,
    );
  },
};

/** Of this process's own time, in milliseconds: others may use the machine too. */
function timeOf(text: string): number {
  const before = process.cpuUsage();
  isOneLine(redact(text));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
