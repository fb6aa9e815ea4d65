import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { controls, leaks } from '../fixtures/redaction/cases.js';
import { generator } from '../fixtures/redaction/generate.js';
import { hostile } from '../fixtures/redaction/hostile.js';
import { disguises, templates, wrappings } from '../fixtures/redaction/templates.js';
import { toolLeaks } from '../fixtures/redaction/tools.js';
import { redact } from '../src/redact.js';
import { mask, Secret } from '../src/secret.js';

const folded = (text: string) => text.replace(/\s+/g, ' ').trim();

/** The result as whoever reads it may unfold it: as it is, percent-decoded, its words decoded from base64. */
function readings(result: string): string[] {
  const percent = (text: string) =>
    text.replace(/%([\da-f]{2})/gi, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)));
  const base64 = (text: string) =>
    (text.match(/[\w+/=-]{8,}/g) ?? []).map((word) => Buffer.from(word, 'base64').toString('latin1'));
  const once = base64(result);
  return [result, percent(result), percent(percent(result)), ...once, ...once.flatMap(base64)];
}

/** Twelve characters of a secret are more than its shape. */
function leaked(result: string, secret: string): string | undefined {
  const texts = readings(result);
  for (let start = 0; start === 0 || start + 12 <= secret.length; start++) {
    const piece = secret.slice(start, start + 12);
    if (texts.some((text) => text.includes(piece))) return piece;
  }
  return undefined;
}

function expectOneCleanLine(result: string, limit = 2000) {
  expect(result.length).toBeLessThanOrEqual(limit);
  expect(result).not.toMatch(/[\p{Cc}\p{Cs}\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029]/u);
  expect(result).toBe(folded(result));
}

describe('masks', () => {
  it.each([...leaks, ...toolLeaks].map((leak) => [leak.name, leak] as const))(
    '%s',
    (_, { text, mustNot, must }) => {
      const result = redact(text);
      for (const secret of mustNot) expect(leaked(result, secret)).toBeUndefined();
      for (const kept of must) expect(result).toContain(folded(kept));
      expectOneCleanLine(result);
    },
  );
});

describe('keeps word for word', () => {
  it.each(controls)('%s', (text) => {
    expect(redact(text)).toBe(folded(text));
  });
});

describe('makes one line', () => {
  it('folds white space and line breaks of every kind', () => {
    expect(redact(' a\r\n\tb\u2028c\u0085d\u00a0e\v\ff \n')).toBe('a b c d e f');
  });

  it('keeps the end of what is too long', () => {
    expect(redact(`start ${'x y '.repeat(50)}end`, { limit: 11 })).toBe('… y x y end');
    expect(redact(`${'no '.repeat(2000)}end`)).toMatch(/^….*no end$/);
    expect(redact(`${'no '.repeat(2000)}end`)).toHaveLength(2000);
  });

  it('never splits a character', () => {
    for (let limit = 0; limit < 8; limit++) expectOneCleanLine(redact('🚫🚫🚫🚫🚫', { limit }), limit);
    expect(redact('a\ud800b')).toBe('ab');
  });

  it('has nothing to show for nothing', () => {
    expect(redact('')).toBe('');
    expect(redact(new Uint8Array())).toBe('');
    expect(redact('\x1b[31m\x1b[0m\u200b\0')).toBe('');
  });

  it('shows what a terminal would, without its colours, links and overstrikes', () => {
    expect(redact('\x1b]8;;https://a.example.com\x07link\x1b]8;;\x07 \x1b[1mbold\x1b[0m o\bov\bve\ber')).toBe(
      'link bold over',
    );
    expect(redact('10%\r20%\rdone')).toBe('10% 20% done');
    expect(redact('cut off \x1b[38;5')).toBe('cut off');
  });
});

describe('bounds what it reads', () => {
  const s = generator(5);

  it.each([
    ['a space', ' '],
    ['a line break', '\n'],
    ['a quote', '","note":"'],
  ])('leaves no tail of a secret that the bound cut in two, up to %s', (_, after) => {
    for (const cut of [5, 12, 19, 100, 300]) {
      const secret = s.awsSession();
      const end = `${after}${'a word '.repeat(40_000)}`.slice(0, 256 * 1024 - cut);
      const result = redact(`{"password":"${secret}${end}`, { limit: 300_000 });
      expect(leaked(result, secret)).toBeUndefined();
      expect(result).not.toContain(secret.slice(-cut));
      expect(result).toContain('a word a word');
    }
  });

  it('reads the end of a text of many megabytes', () => {
    expect(redact(`${'noise '.repeat(1_000_000)}\nAccessDenied`)).toMatch(/AccessDenied$/);
    expect(redact(Buffer.from(`${'noise '.repeat(1_000_000)}\nAccessDenied`))).toMatch(/AccessDenied$/);
  });
});

describe('masks the secrets of the request', () => {
  const secret = (value: string) => ({ secrets: [new Secret(value)] });

  it('whatever they look like', () => {
    expect(redact('the id plain-words was refused', secret('plain-words'))).toBe(
      `the id ${mask} was refused`,
    );
    expect(redact('code 4938 for id in use', secret('4938'))).toBe(`code ${mask} for id in use`);
  });

  it('percent-encoded, escaped and in base64', () => {
    const value = 'plain words "quoted"';
    for (const form of [
      encodeURIComponent(value),
      JSON.stringify(value).slice(1, -1),
      Buffer.from(value).toString('base64'),
    ]) {
      expect(redact(`refused ${form} today`, secret(value))).toBe(`refused ${mask} today`);
    }
  });

  it('however a language or a shell escapes them', () => {
    const value = 'acme:prod/eu@1';
    for (const form of [
      'acme%3Aprod/eu%401',
      'acme%3aprod%2feu%401',
      encodeURIComponent(encodeURIComponent(value)),
      'acme:prod\\/eu@1',
      'acme\\u003aprod\\u002feu@1',
      'acme&#58;prod&#x2F;eu&#64;1',
      'acme\\072prod\\057eu@1',
      'acme%3Apr\nod%2Feu%401',
      Buffer.from(value).toString('base64url'),
    ]) {
      expect(redact(`refused ${form} today`, secret(value))).toBe(`refused ${mask} today`);
    }
  });

  it('cut by colours, zero-width characters and line ends', () => {
    for (const between of ['\x1b[0m', '\u200b', '\n', '\n    ']) {
      expect(redact(`the id plain-${between}words was refused`, secret('plain-words'))).toBe(
        `the id ${mask} was refused`,
      );
    }
  });

  it('all of them, next to each other and next to masks', () => {
    const secrets = [new Secret('first-words'), new Secret('other-words')];
    expect(redact('**** first-words,other-words\nfirst-wo\nrds end', { secrets })).toBe(
      '**** ****,**** **** end',
    );
  });
});

const kinds = [
  'awsSecret',
  'awsSession',
  'googleToken',
  'googleRefresh',
  'azureSecret',
  'jwt',
  'jwtUnsigned',
  'github',
  'vault',
  'storageKey',
  'sas',
  'uuid',
  'password',
] as const;
const anyOf = <T>(table: Readonly<Record<string, T>>) => fc.constantFrom(...Object.entries(table));
const anySecret = fc
  .tuple(fc.constantFrom(...kinds), fc.nat())
  .map(([kind, seed]) => generator(seed)[kind]());

describe('for any secret', () => {
  it('anywhere, in any disguise, none of it is in the result', () => {
    fc.assert(
      fc.property(
        anySecret,
        anyOf(templates),
        anyOf(disguises),
        anyOf(wrappings),
        (secret, [, place], [, disguise], [, wrapping]) => {
          const result = redact(wrapping(place(disguise(secret))));
          expect(leaked(result, secret)).toBeUndefined();
          expect(leaked(redact(result), secret)).toBeUndefined();
          expectOneCleanLine(result);
        },
      ),
      { numRuns: 2000, seed: 7 },
    );
  });

  it('wrapped at any width', () => {
    const long = fc
      .tuple(fc.constantFrom('awsSession', 'jwt', 'googleToken', 'storageKey'), fc.nat())
      .map(([kind, seed]) => generator(seed)[kind as 'jwt']());
    fc.assert(
      fc.property(
        long,
        fc.constantFrom(40, 64, 70, 76, 80, 100),
        fc.constantFrom('\n', '\r\n', '\n    ', '\\\n', ' |\n| '),
        (secret, width, glue) => {
          const wrapped = secret.match(new RegExp(`.{1,${width}}`, 'g'))!.join(glue);
          expect(leaked(redact(`token:\n${wrapped}\nError: Forbidden`), secret)).toBeUndefined();
        },
      ),
      { numRuns: 300, seed: 7 },
    );
  });

  it('cut by the limit, none of it is in the result', () => {
    fc.assert(
      fc.property(anySecret, anyOf(templates), fc.nat({ max: 300 }), (secret, [, place], limit) => {
        const result = redact(place(secret), { limit });
        expect(leaked(result, secret)).toBeUndefined();
        expectOneCleanLine(result, limit);
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});

describe('for any text', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc
      .array(
        fc.constantFrom(...Object.values(hostile), ...controls, '\n', ' ', '"', "'", 'password', '=', ': '),
        { maxLength: 40 },
      )
      .map((parts) => parts.join('')),
  );

  it('gives one clean line within the limit', () => {
    fc.assert(
      fc.property(anyText, fc.nat({ max: 200 }), (text, limit) =>
        expectOneCleanLine(redact(text, { limit }), limit),
      ),
      { numRuns: 1000, seed: 7 },
    );
  });

  it('takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => expectOneCleanLine(redact(bytes))),
      { numRuns: 500, seed: 7 },
    );
  });

  it('keeps controls between other controls', () => {
    // After a name that waits for its value, whatever follows may be it.
    const complete = controls.filter((text) => !/[:=]$/.test(text));
    fc.assert(
      fc.property(fc.shuffledSubarray(complete, { minLength: 2, maxLength: 6 }), (texts) => {
        expect(redact(texts.join('\n'), { limit: 10_000 })).toBe(folded(texts.join('\n')));
      }),
      { numRuns: 300, seed: 7 },
    );
  });
});

describe('takes time in proportion to the text', () => {
  const time = (text: string) => {
    const start = process.cpuUsage();
    redact(text);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  };

  // A busy machine may be slow once.
  it.each(Object.entries(hostile))('%s', { retry: 2 }, (_, piece) => {
    const of = (length: number) => piece.repeat(Math.ceil(length / piece.length)).slice(0, length);
    const quarter = time(of(64 * 1024));
    // Four times the text, so sixteen times were quadratic; what takes milliseconds measures the collector.
    expect(time(of(256 * 1024))).toBeLessThan(Math.max(quarter, 40) * 10);
  });
});
