import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AllowRule, judge, requireAllowed } from '../src/policy.js';
import { preview } from '../src/preview.js';
import { checkRequest } from '../src/request.js';
import { requests } from './support.js';

const request = checkRequest(requests.aws());
const allowed = (rules: AllowRule[] | undefined, actor = 'alice@example.com', checked = request) =>
  judge(rules, checked, actor)?.allowed;

describe('allow rules', () => {
  it('allow all where there are none', () => {
    expect([allowed(undefined), allowed([])]).toEqual([undefined, undefined]);
  });

  it.each<[string, unknown, string]>([
    ['a misspelt member', [{ provider: ['gcp'] }], 'policy.0.provider'],
    ['a pattern that is not in a list', [{}, { providers: 'gcp' }], 'policy.1.providers'],
    ['a lifetime that is no number', [{ max_lifetime_seconds: '3600' }], 'policy.0.max_lifetime_seconds'],
    ['a rule that is none', ['*'], 'policy.0'],
    ['no list', {}, 'policy'],
  ])('with %s allow nothing, but are refused by name', (_, rules, field) => {
    expect(() => judge(rules as AllowRule[], request, 'alice@example.com')).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        details: { issues: [expect.objectContaining({ field })] },
      }),
    );
  });

  it('allow what one of them covers, and name it', () => {
    expect(
      judge([{ actors: ['bob@*'] }, { actors: ['*@example.com'] }], request, 'alice@example.com'),
    ).toEqual({ allowed: true, rule: 1 });
    expect(judge([{}], request, 'anybody')).toEqual({ allowed: true, rule: 0 });
  });

  it.each<[string, AllowRule]>([
    ['actor', { actors: ['*@other.com'] }],
    ['provider', { providers: ['gcp', 'azure'] }],
    ['identity', { identities: ['arn:aws:iam::123456789012:role/other-*'] }],
    ['key', { keys: ['idp:gcp:*'] }],
    ['lifetime', { max_lifetime_seconds: 900 }],
    ['member, empty', { actors: [] }],
  ])('deny what none covers: another %s', (_, rule) => {
    expect(judge([rule], request, 'alice@example.com')).toEqual({ allowed: false });
  });

  it('deny the default identity where identities are named, and an unbounded lifetime where it is limited', () => {
    const azure = checkRequest(requests.azure());
    expect(allowed([{ identities: ['1234*'] }], 'a', azure)).toBe(false);
    expect(allowed([{ identities: ['*'] }], 'a', azure)).toBe(true);
    expect(allowed([{ max_lifetime_seconds: 43200 }], 'a', azure)).toBe(false);
  });

  it('match as the same pattern in a regular expression would, in linear time', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.'), maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 });
    fc.assert(
      fc.property(pattern, text, (actors, actor) => {
        const regex = new RegExp(`^${actors.replace(/\./g, '\\.').replace(/\*+/g, '[^]*')}$`);
        expect(allowed([{ actors: [actors] }], actor)).toBe(regex.test(actor));
      }),
      { numRuns: 3000 },
    );
    expect(allowed([{ actors: [`${'*a'.repeat(2000)}b`] }], 'a'.repeat(100_000))).toBe(false);
  });

  it('deny with policy_denied, and show their verdict in a preview', async () => {
    const rules = [{ actors: ['bob'] }];
    expect(() => requireAllowed(rules, request, 'alice')).toThrow(
      expect.objectContaining({ code: 'policy_denied', outcome: 'not_issued' }),
    );
    expect(await preview(requests.aws(), { policy: rules, actor: 'alice' })).toMatchObject({
      policy: { allowed: false },
    });
    expect(await preview(requests.aws(), { policy: rules, actor: 'bob' })).toMatchObject({
      policy: { allowed: true, rule: 0 },
    });
    expect(await preview(requests.aws())).not.toHaveProperty('policy');
  });
});
