/** The challenge parser against RFC 9110's grammar, and the step-up challenge of RFC 9470. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenges, stepUpChallenge, stepUpOf } from '../../src/challenge.js';

const seen = (header: string | null) =>
  parseChallenges(header).map(({ scheme, params, token68 }) => [
    scheme,
    token68 ?? Object.fromEntries(params),
  ]);
const stepUp = 'Bearer error="insufficient_user_authentication"';
const asked = (header: string) => stepUpOf(parseChallenges(header));

describe('parseChallenges', () => {
  it.each([
    [null, []],
    ['', []],
    [' , ,\t', []],
    ['Bearer', [['bearer', {}]]],
    ['Bearer realm="a"', [['bearer', { realm: 'a' }]]],
    ['BEARER Realm=a', [['bearer', { realm: 'a' }]]],
    ['Bearer realm = "a" , scope\t=\tb', [['bearer', { realm: 'a', scope: 'b' }]]],
    ['Bearer ,, realm="a",', [['bearer', { realm: 'a' }]]],
    ['Bearer realm="a, b=c", scope="d"', [['bearer', { realm: 'a, b=c', scope: 'd' }]]],
    ['Bearer realm="say \\"hi\\", \\\\o/"', [['bearer', { realm: 'say "hi", \\o/' }]]],
    ['Bearer realm=""', [['bearer', { realm: '' }]]],
    ['Negotiate YWJj/+.~_-==', [['negotiate', 'YWJj/+.~_-==']]],
    [
      'Negotiate a==, Bearer x="1", Basic realm="b", y=2, Digest',
      [
        ['negotiate', 'a=='],
        ['bearer', { x: '1' }],
        ['basic', { realm: 'b', y: '2' }],
        ['digest', {}],
      ],
    ],
    // The example of RFC 9110 section 11.6.1.
    [
      'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
      [
        ['basic', { realm: 'simple' }],
        ['newauth', { realm: 'apps', type: '1', title: 'Login to "apps"' }],
      ],
    ],
    ['Bearer __proto__="a", constructor=b', [['bearer', JSON.parse('{"__proto__":"a","constructor":"b"}')]]],
    ['Bearer realm="\xe9\xa0"', [['bearer', { realm: '\xe9\xa0' }]]],
  ])('reads %j', (header, challenges) => {
    expect(seen(header)).toEqual(challenges);
  });

  it.each([
    ['a parameter twice', 'Bearer a=1, A=2'],
    ['an unclosed string', 'Bearer a="1'],
    ['a string closed by an escape', 'Bearer a="1\\"'],
    ['text behind a string', 'Bearer a="1" b'],
    ['a parameter without a comma', 'Bearer a="1" b="2"'],
    ['a parameter behind a token68', 'Bearer abc==, a=1'],
    ['two strings', 'Bearer a="1""2"'],
    ['no value between commas', 'Bearer a=1, b=, c=3'],
    ['a control character', 'Bearer a="1\u0001"'],
    ['a character beyond Latin-1', 'Bearer a="\u2028"'],
    ['a tab behind the scheme', 'Bearer\ta=1'],
    ['a scheme that is none', '(Bearer) a=1'],
    ['a parameter of no challenge', 'a=1'],
    ['a single-quoted value', "Bearer a='1 2'"],
  ])('does not trust a challenge with %s', (_what, header) => {
    expect(seen(header)).toEqual([]);
  });

  it('trusts the challenges beside one that it does not', () => {
    expect(seen('Basic a=1, a=2, Bearer b=1')).toEqual([['bearer', { b: '1' }]]);
    expect(seen('Bearer b=1, Basic a b c')).toEqual([['bearer', { b: '1' }]]);
  });

  it('reads back whatever the grammar can say', () => {
    const tokens = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/);
    const values = fc.stringMatching(/^[\t\x20-\x7e\x80-\xff]{0,20}$/);
    const challenge = fc.record({
      scheme: tokens,
      params: fc.uniqueArray(fc.tuple(tokens, values), {
        selector: ([name]) => name.toLowerCase(),
        maxLength: 5,
      }),
    });
    const quote = (value: string) => `"${value.replace(/["\\]/g, '\\$&')}"`;
    fc.assert(
      fc.property(fc.array(challenge, { maxLength: 5 }), (challenges) => {
        const header = challenges
          .map(({ scheme, params }) =>
            `${scheme} ${params.map(([name, value]) => `${name}=${quote(value)}`).join(', ')}`.trim(),
          )
          .join(', ');
        expect(
          parseChallenges(header).map(({ scheme, params }) => ({ scheme, params: [...params] })),
        ).toEqual(
          challenges.map(({ scheme, params }) => ({
            scheme: scheme.toLowerCase(),
            params: params.map(([name, value]) => [name.toLowerCase(), value]),
          })),
        );
      }),
    );
  });

  it('throws at nothing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[ \t,="\\Bb()a1]{0,60}$/)), (header) => {
        parseChallenges(header);
      }),
    );
  });

  it.each([
    ['blanks', ' '],
    ['commas', ','],
    ['quotes', '"'],
    ['escapes', '\\"'],
    ['equal signs', '='],
    ['letters', 'a'],
    ['letters and blanks', 'a '],
    ['parameters', 'a=1,'],
    ['challenges', 'a b,'],
  ])('reads a header of %s in a time that does not grow out of hand', (_what, part) => {
    // Of the processor: what else runs meanwhile does not count.
    const began = process.cpuUsage();
    parseChallenges(`Bearer a="${part.repeat(100_000)}`);
    parseChallenges(`Bearer ${part.repeat(100_000)}x`);
    const { user, system } = process.cpuUsage(began);
    expect((user + system) / 1000).toBeLessThan(5000);
  });
});

describe('stepUpOf', () => {
  it.each([
    [stepUp, {}],
    [`${stepUp}, max_age="180"`, { max_age: 180 }],
    [`${stepUp}, max_age=0`, { max_age: 0 }],
    [`${stepUp}, max_age="5", acr_values="mfa phr"`, { max_age: 5, acr_values: 'mfa phr' }],
    [
      `Basic realm="x", bearer ERROR=insufficient_user_authentication, error_description="a, \\"b\\"", max_age="60"`,
      { max_age: 60 },
    ],
    [`Bearer, DPoP error="x", ${stepUp}, max_age="7"`, { max_age: 7 }],
  ])('finds it in %j', (header, what) => {
    expect(asked(header)).toEqual(what);
  });

  it.each([
    'Bearer',
    'Bearer error="invalid_token"',
    'DPoP error="insufficient_user_authentication", max_age="180"',
    'Bearer error="Insufficient_User_Authentication"',
    'Bearer error_description="error=\\"insufficient_user_authentication\\""',
    'Bearer realm="Bearer error=insufficient_user_authentication"',
    'Basic realm="x", error="insufficient_user_authentication"',
    `${stepUp}, max_age="-1"`,
    `${stepUp}, max_age="1.5"`,
    `${stepUp}, max_age="1e3"`,
    `${stepUp}, max_age=""`,
    `${stepUp}, max_age=" 180"`,
    `${stepUp}, max_age="99999999999999999999"`,
    `${stepUp}, max_age="180", max_age="10"`,
    `${stepUp}, error="invalid_token"`,
    `${stepUp}, max_age="180`,
  ])('finds none in %j', (header) => {
    expect(asked(header)).toBeUndefined();
  });
});

describe('stepUpChallenge', () => {
  it('writes the header of the contract', () => {
    expect(stepUpChallenge({ max_age: 180, description: 'The authentication is too old.' })).toBe(
      'Bearer error="insufficient_user_authentication", error_description="The authentication is too old.", max_age="180"',
    );
  });

  it('is read back as what was asked for, whatever the description says', () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.stringMatching(/^[\x20\x21\x23-\x5b\x5d-\x7e]{0,40}$/),
        (max_age, description) => {
          const challenges = parseChallenges(stepUpChallenge({ max_age, description }));
          expect(stepUpOf(challenges)).toEqual({ max_age });
          expect(challenges[0]!.params.get('error_description')).toBe(description);
        },
      ),
    );
  });

  it.each(['a "quote"', 'a \\ backslash', 'a\r\nSet-Cookie: a=b', 'caf\u00e9', 'a\ttab'])(
    'refuses the description %j',
    (description) => {
      expect(() => stepUpChallenge({ max_age: 180, description })).toThrow(TypeError);
    },
  );

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses the age %s', (max_age) => {
    expect(() => stepUpChallenge({ max_age, description: '' })).toThrow(TypeError);
  });
});
