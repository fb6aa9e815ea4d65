/** A secret of a known shape, in a known place and disguise, between any text: none of it may be left. */
import { generator } from '../../../fixtures/redaction/generate.js';
import { hostile } from '../../../fixtures/redaction/hostile.js';
import { disguises, templates, wrappings } from '../../../fixtures/redaction/templates.js';
import { redact } from '../../../src/redact.js';
import { Choices } from '../choices.js';
import { expectThat, type Target } from '../target.js';

/** Shapes that give themselves away, wherever they stand. */
const shapes = [
  'awsSession',
  'googleToken',
  'azureSecret',
  'jwt',
  'github',
  'githubFine',
  'gitlab',
  'slack',
  'vault',
  'storageKey',
  'googleRefresh',
  'npm',
] as const;
const places = [
  ...Object.values(templates),
  (secret: string) => `the call with ${secret} was refused`,
  (secret: string) => secret,
];
const masks = Object.values(disguises);
const wraps = Object.values(wrappings);

export const redaction: Target = {
  name: 'redaction',
  seeds: [
    'ERROR: one line\nand another\n',
    '\x00\x00\x00\x00\x00\x00\x05\x05hellohello',
    '\x01\x02\x03\x04\x05\x06\x10\x10usage: aws [options] --password ',
    '\x07\x03\x02\x01\x08\x05\x20\x20{"a": "b", "c": ["d", {"e": ',
  ],
  words: [
    ...Object.values(hostile),
    '\n',
    '"',
    "'",
    '\\"',
    '-----BEGIN ',
    '\x1b]8;;',
    '\x1b[',
    '%',
    '&',
    '<',
    '>',
  ],
  run(input) {
    const choices = new Choices(input);
    const secret = generator(choices.byte())[choices.of(shapes)]();
    const place = choices.of(places);
    const disguise = choices.of(masks);
    const wrap = choices.of(wraps);
    const before = choices.text(255);
    // On lines of its own: what stands on the same one may open a quote or a tag that changes what the rest is.
    const text = `${before}\n${wrap(place(disguise(secret)))}\n${choices.rest().toString('utf8')}`;
    const result = redact(text);
    isOneLine(result);
    for (const reading of readings(result))
      for (let at = 0; at + 16 <= secret.length; at += 4)
        expectThat(
          !reading.includes(secret.slice(at, at + 16)),
          `leaves ${secret.slice(at, at + 16)} of ${secret} in ${result.slice(-300)}`,
        );
  },
};

export function isOneLine(result: string): void {
  expectThat(result.length <= 2000, 'longer than 2000 characters');
  expectThat(
    !/[\p{Cc}\p{Cs}\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029]/u.test(result),
    `what a terminal obeys or does not show: ${JSON.stringify(result)}`,
  );
  expectThat(result === result.replace(/\s+/g, ' ').trim(), 'white space that is not folded');
}

/** As whoever reads it may unfold it. */
function readings(result: string): string[] {
  const percent = (text: string) =>
    text.replace(/%([\da-f]{2})/gi, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)));
  const words = (result.match(/[\w+/=-]{12,}/g) ?? []).map((word) =>
    Buffer.from(word, 'base64').toString('latin1'),
  );
  return [result, percent(result), percent(percent(result)), ...words];
}
