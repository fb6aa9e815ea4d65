/** Names of secrets: no two keys share one, nor do two prefixes, and each is one that the services allow. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCredentialKey } from '../../src/key.js';
import { prefixPattern, secretName, startOf } from '../../src/stores/secret-name.js';

// Few words, so that many keys differ by their signs alone.
const word = fc.constantFrom('a', 'b');
const joined = (signs: string[], min: number) =>
  fc
    .array(fc.tuple(word, fc.constantFrom(...signs)), { minLength: min, maxLength: 6 })
    .map((parts) => parts.map(([text, sign], index) => (index === 0 ? text : sign + text)).join(''));
const key = joined([':', '.', '-', '_'], 2).filter(isCredentialKey);
const prefix = fc
  .oneof(fc.constant(''), joined(['-'], 1))
  .filter((text) => text === '' || prefixPattern.test(text));
const most = fc.constantFrom(40, 127, 255);

describe('the name of a secret', () => {
  it('belongs to one key under one prefix', () => {
    fc.assert(
      fc.property(prefix, key, prefix, key, most, (prefix, key, otherPrefix, otherKey, most) => {
        const same = secretName(prefix, key, most) === secretName(otherPrefix, otherKey, most);
        expect(same).toBe(prefix === otherPrefix && key === otherKey);
      }),
      { numRuns: 5000 },
    );
  });

  it('is of lower-case letters, digits and dashes, begins with its prefix, and is never too long', () => {
    fc.assert(
      fc.property(prefix, key, (prefix, key) => {
        const name = secretName(prefix, key, 127);
        expect(name).toMatch(/^[a-z0-9-]{1,127}$/);
        expect(name.startsWith(startOf(prefix))).toBe(true);
      }),
    );
    const longest = `a:${'k'.repeat(63)}:${'k'.repeat(63)}:${'k'.repeat(63)}`;
    expect(secretName('p'.repeat(40), longest, 127).length).toBeLessThanOrEqual(127);
  });
});
