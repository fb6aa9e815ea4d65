/** Forged, broken and foreign access tokens are refused by both sides, each with the promised challenge. */
import { createHmac, createSign, generateKeyPairSync, KeyObject, randomBytes } from 'node:crypto';
import { CompactEncrypt, CompactSign, exportJWK, exportSPKI, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve } from '../../../fixtures/loopback/serve.mjs';
import {
  bearer,
  call,
  expectRefused,
  type Issuer,
  invalidToken,
  jsonType,
  noScope,
  noToken,
  type Refusal,
  type SideName,
  sideNames,
  useSides,
  withoutTrace,
} from './sides.js';

const sides = useSides({ algorithms: ['RS256', 'ES256', 'EdDSA', 'ES256', 'PS256'] });
let attacker: Awaited<ReturnType<typeof serve>>;

beforeAll(async () => {
  attacker = await serve(({ url }) => ({ call: url.pathname, reply: { body: '{"keys":[]}' } }));
});
afterAll(() => attacker.close());

const notSigned = invalidToken('it is not a signed JWT');
const badSignature = invalidToken('its signature is wrong');
const badAlgorithm = invalidToken('its algorithm is not allowed');
const noKey = invalidToken('no key of the issuer fits it');

const part = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** The claims of a good token, as their own JSON text would have them. */
function claims(more: Record<string, unknown> = {}): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  const good = {
    iss: sides.current.issuer.url,
    aud: 'cloud-cli-control-plane',
    sub: 'alice@example.com',
    scope: 'admin:cluster',
    exp: now + 300,
    auth_time: now,
  };
  return { ...good, ...more };
}

/** A token of this header and these claims, signed by `sign`. */
function token(header: unknown, sign: (input: string) => string, payload: unknown = claims()): string {
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${sign(input)}`;
}

const hmac = (secret: string | Buffer) => (input: string) =>
  createHmac('sha256', secret).update(input).digest('base64url');
const rsa = (key: KeyObject) => (input: string) =>
  createSign('RSA-SHA256').update(input).sign(key).toString('base64url');
const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 });
const foreignJwk = foreign.publicKey.export({ format: 'jwk' });
const nothing = () => '';
/** The issuer's own RSA key, for tokens that are wrong in their header alone. */
const keyOf = (issuer: Issuer) => KeyObject.from(issuer.keys[0]!.privateKey as never);

type Make = (issuer: Issuer) => string | Promise<string>;

const forged: [name: string, Refusal, Make][] = [
  ...['none', 'None', 'nONE', 'NONE'].flatMap((alg): [string, Refusal, Make][] => [
    [`alg ${alg} without a signature`, badAlgorithm, () => token({ alg, typ: 'JWT' }, nothing)],
    [`alg ${alg} with a key id`, badAlgorithm, () => token({ alg, kid: 'key-0' }, () => part('x'))],
  ]),
  ['an empty alg', notSigned, () => token({ alg: '', kid: 'key-0' }, nothing)],
  ['no alg', notSigned, () => token({ kid: 'key-0' }, nothing)],
  ['alg as a number', notSigned, () => token({ alg: 1, kid: 'key-0' }, nothing)],
  ['alg as a list', notSigned, () => token({ alg: ['RS256'], kid: 'key-0' }, nothing)],
  ['RS256 with an empty signature', badSignature, () => token({ alg: 'RS256', kid: 'key-0' }, nothing)],
  ['ES256 with an empty signature', badSignature, () => token({ alg: 'ES256', kid: 'key-1' }, nothing)],
  [
    'ES256 with a signature of zeros (CVE-2022-21449)',
    badSignature,
    () => token({ alg: 'ES256', kid: 'key-1' }, () => Buffer.alloc(64).toString('base64url')),
  ],
  ...['HS256', 'HS384', 'HS512'].flatMap((alg): [string, Refusal, Make][] =>
    [0, 1].map((index) => [
      `${alg} with the public key ${index} as its secret`,
      badAlgorithm,
      async ({ keys }) =>
        token({ alg, kid: `key-${index}` }, hmac(await exportSPKI(keys[index]!.publicKey as never))),
    ]),
  ),
  [
    'HS256 with the published JWK as its secret',
    badAlgorithm,
    ({ published }) => token({ alg: 'HS256', kid: 'key-0' }, hmac(JSON.stringify(published[0]))),
  ],
  [
    'an algorithm that is not on the list (RS512)',
    badAlgorithm,
    () => token({ alg: 'RS512', kid: 'key-0' }, rsa(foreign.privateKey)),
  ],
  [
    'a foreign key with the kid of ours',
    badSignature,
    () => token({ alg: 'RS256', kid: 'key-0' }, rsa(foreign.privateKey)),
  ],
  [
    'an algorithm of another key than the kid names',
    noKey,
    () => token({ alg: 'RS256', kid: 'key-1' }, rsa(foreign.privateKey)),
  ],
  [
    'the RSA key of PS256 used for RS256',
    noKey,
    ({ token: mint, keys }) => mint({}, { key: keys[4]!, header: { alg: 'PS256', kid: 'key-0' } }),
  ],
  [
    'an embedded jwk',
    badSignature,
    () => token({ alg: 'RS256', kid: 'key-0', jwk: foreignJwk }, rsa(foreign.privateKey)),
  ],
  [
    'an embedded jwk and its own kid',
    noKey,
    () => token({ alg: 'RS256', kid: 'mine', jwk: foreignJwk }, rsa(foreign.privateKey)),
  ],
  ...['jku', 'x5u'].map((name): [string, Refusal, Make] => [
    `${name} at another host`,
    noKey,
    () => token({ alg: 'RS256', kid: 'mine', [name]: `${attacker.url}/jwks` }, rsa(foreign.privateKey)),
  ]),
  [
    'x5c',
    noKey,
    () =>
      token(
        { alg: 'RS256', kid: 'mine', x5c: [Buffer.from('x').toString('base64')] },
        rsa(foreign.privateKey),
      ),
  ],
  ...[
    '../../../../dev/null',
    '/proc/self/environ',
    "x' UNION SELECT 'secret'; --",
    'ключ-0\u202e',
    'key-0\u0000',
    'KEY-0',
    ' key-0',
    '__proto__',
    'constructor',
    '',
    'k'.repeat(5000),
  ].map((kid): [string, Refusal, Make] => [
    `the kid ${JSON.stringify(kid).slice(0, 40)}`,
    noKey,
    ({ token: mint }) => mint({}, { header: { kid } }),
  ]),
  ...[{ a: 1 }, ['key-2'], 2, null, true].map((kid): [string, Refusal, Make] => [
    `the kid ${JSON.stringify(kid)}, no text`,
    noKey,
    ({ token: mint, keys }) => mint({}, { key: keys[2]!, header: { kid } }),
  ]),
  [
    'no kid where two keys fit',
    invalidToken('it does not say which key signed it'),
    ({ token: mint, keys }) => mint({}, { key: keys[1]!, header: { kid: undefined } }),
  ],
  [
    'crit of something unknown',
    notSigned,
    (issuer) => token({ alg: 'RS256', kid: 'key-0', crit: ['exp'], exp: 1 }, rsa(keyOf(issuer))),
  ],
  [
    'crit that is empty',
    notSigned,
    (issuer) => token({ alg: 'RS256', kid: 'key-0', crit: [] }, rsa(keyOf(issuer))),
  ],
  [
    'an unencoded payload (RFC 7797)',
    notSigned,
    (issuer) => {
      const head = part({ alg: 'RS256', kid: 'key-0', b64: false, crit: ['b64'] });
      // Without dots inside, as it must be in this form.
      const payload = JSON.stringify({ ...claims(), iss: 'x' }).replaceAll('.', '');
      return `${head}.${payload}.${rsa(keyOf(issuer))(`${head}.${payload}`)}`;
    },
  ],
  [
    'an encrypted JWT',
    notSigned,
    () =>
      new CompactEncrypt(randomBytes(10))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .encrypt(randomBytes(32)),
  ],
  [
    'a JWT in a JWT',
    notSigned,
    async ({ token: mint, keys }) => {
      const inner = new TextEncoder().encode(await mint());
      return new CompactSign(inner)
        .setProtectedHeader({ alg: 'RS256', kid: 'key-0', cty: 'JWT' })
        .sign(keys[0]!.privateKey as never);
    },
  ],
  ['two parts', notSigned, () => token({ alg: 'RS256' }, nothing).split('.').slice(0, 2).join('.')],
  ['four parts', notSigned, ({ token: mint }) => mint().then((good) => `${good}.x`)],
  ['not base64url', notSigned, () => 'e30=.e30=.e30='],
  ['a header that is no JSON', notSigned, () => `${part('x')}.${part(claims())}.${part('x')}`],
  ['a header that is a list', notSigned, () => `${part([])}.${part(claims())}.${part('x')}`],
  ['dots alone', notSigned, () => '..'],
  [
    'claims that are a list',
    notSigned,
    ({ keys }) =>
      new CompactSign(new TextEncoder().encode('["admin:cluster"]'))
        .setProtectedHeader({ alg: 'RS256', kid: 'key-0' })
        .sign(keys[0]!.privateKey as never),
  ],
  [
    'one character of its claims changed',
    badSignature,
    async ({ token: mint }) => {
      const [head, , signature] = (await mint()).split('.');
      return `${head}.${part(claims({ sub: 'root@example.com' }))}.${signature}`;
    },
  ],
  ['spaces inside', badSignature, async ({ token: mint }) => (await mint()).replace('.', ' .')],
  [
    'another token behind it',
    notSigned,
    async ({ token: mint }) => `${await mint()}, Bearer ${await mint()}`,
  ],
];

const badClaim = (name: string) => invalidToken(`its ${name} is not accepted`);
const expired = invalidToken('it has expired');
const badSub = invalidToken('its sub is no name that a ledger could show');
const badType = invalidToken('it is not an access token (typ)');
const us = 'cloud-cli-control-plane';

const wrong: [name: string, Refusal, claims: Record<string, unknown>, header?: Record<string, unknown>][] = [
  ['another issuer', badClaim('iss'), { iss: 'https://evil.example/' }],
  ['no issuer', badClaim('iss'), { iss: undefined }],
  ['issuers as a list', badClaim('iss'), { iss: ['http://127.0.0.1'] }],
  ['another audience', badClaim('aud'), { aud: 'another-service' }],
  ['no audience', badClaim('aud'), { aud: undefined }],
  ['audiences without ours', badClaim('aud'), { aud: ['a', `${us}2`, us.toUpperCase()] }],
  ['an empty list of audiences', badClaim('aud'), { aud: [] }],
  ['audience as a number', badClaim('aud'), { aud: 1 }],
  ['audience as an object', badClaim('aud'), { aud: { [us]: us } }],
  ['audiences in one text', badClaim('aud'), { aud: `${us} other` }],
  ['no exp', badClaim('exp'), { exp: undefined }],
  ['exp as text', badClaim('exp'), { exp: '9999999999' }],
  ['exp null', badClaim('exp'), { exp: null }],
  ['exp long past', expired, { exp: 1 }],
  ['exp negative', expired, { exp: -1 }],
  ['nbf as text', badClaim('nbf'), { nbf: '0' }],
  ['nbf far ahead', badClaim('nbf'), { nbf: 9_999_999_999 }],
  ['no sub', badClaim('sub'), { sub: undefined }],
  ['sub empty', badSub, { sub: '' }],
  ['sub blank', badSub, { sub: '  ' }],
  ['sub null', badSub, { sub: null }],
  ['sub as a number', badSub, { sub: 42 }],
  ['sub as a list', badSub, { sub: ['alice@example.com'] }],
  ['sub with a line break', badSub, { sub: 'alice\nroot' }],
  ['sub with NUL', badSub, { sub: 'alice\u0000' }],
  ['sub with an escape', badSub, { sub: 'alice\u001b[2J' }],
  ['sub that turns its direction', badSub, { sub: 'alice\u202eecila' }],
  ['sub with a zero-width space', badSub, { sub: 'al\u200bice' }],
  ['sub with a line separator', badSub, { sub: 'alice\u2028root' }],
  ['sub of 257 characters', badSub, { sub: 'a'.repeat(257) }],
  ['sub of 10 KB', badSub, { sub: 'a'.repeat(10_240) }],
  ...['logout+jwt', 'id_token+jwt', 'dpop+jwt', 'JOSE', 'at+jwtx', 'application/json', '', 'at+jwt ', 7].map(
    (typ): [string, Refusal, Record<string, unknown>, Record<string, unknown>] => [
      `typ ${JSON.stringify(typ)}`,
      badType,
      {},
      { typ },
    ],
  ),
  ['no scope', noScope, { scope: undefined }],
  ['an empty scope', noScope, { scope: '' }],
  ...[
    'admin:clusterX',
    'xadmin:cluster',
    'ADMIN:CLUSTER',
    'admin:cluster,openid',
    'admin:*',
    'admin',
    'admin:cluster\u00a0openid',
    'admin:cluster\topenid',
  ].map((scope): [string, Refusal, Record<string, unknown>] => [
    `scope ${JSON.stringify(scope)}`,
    noScope,
    { scope },
  ]),
  ['scope in one item of a list', noScope, { scope: ['openid admin:cluster'] }],
  ['scope in a nested list', noScope, { scope: [['admin:cluster']] }],
  ['scope as an object', noScope, { scope: { 'admin:cluster': true } }],
  ['scp with another', noScope, { scope: undefined, scp: ['openid'] }],
];

const accepted: [name: string, claims: Record<string, unknown>, header?: Record<string, unknown>][] = [
  ['audiences with ours among them', { aud: ['other', us] }],
  ['scope as a list', { scope: ['openid', 'admin:cluster'] }],
  ['scp as text', { scope: undefined, scp: 'openid admin:cluster' }],
  ['scp as a list', { scope: 'openid', scp: ['admin:cluster'] }],
  ...['at+jwt', 'JWT', 'jwt', 'application/at+jwt', 'AT+JWT', undefined].map(
    (typ): [string, Record<string, unknown>, Record<string, unknown>] => [`typ ${typ}`, {}, { typ }],
  ),
];

const route = (index: number) => ['handlers', 'preview', 'sts'][index % 3]!;

describe.each(sideNames)('the %s', (name: SideName) => {
  it.each(forged.map((each, index) => [...each, route(index)] as const))(
    'refuses %s',
    async (_, expected, make, to) => {
      const forgedToken = await make(sides.current.issuer);
      await expectRefused(sides.current, name, expected, () =>
        call(sides.current, name, to, { token: forgedToken }),
      );
    },
  );

  it.each(wrong.map(([what, ...each], index) => [what, route(index), ...each] as const))(
    'refuses %s',
    async (_, to, expected, changed, header) => {
      const given = await sides.current.issuer.token(changed, header ? { header } : {});
      await expectRefused(sides.current, name, expected, () =>
        call(sides.current, name, to, { token: given }),
      );
    },
  );

  it.each(accepted)('accepts %s', async (_, changed, header) => {
    const given = await sides.current.issuer.token(changed, header ? { header } : {});
    expect((await call(sides.current, name, 'preview', { token: given })).status).toBe(200);
  });

  it('accepts every algorithm on the list, and a token without kid where one key fits', async () => {
    const { issuer } = sides.current;
    for (const key of issuer.keys)
      expect(
        (await call(sides.current, name, 'handlers', { token: await issuer.token({}, { key }) })).status,
      ).toBe(200);
    const nameless = await issuer.token({}, { key: issuer.keys[2]!, header: { kid: undefined } });
    expect((await call(sides.current, name, 'handlers', { token: nameless })).status).toBe(200);
  });

  it('never calls what a token names', async () => {
    expect(attacker.calls).toEqual([]);
  });

  it('takes a token in the header alone, and tells who has none nothing', async () => {
    const { issuer } = sides.current;
    const good = await issuer.token();
    const ways: [string, string][][] = [
      [],
      [['Authorization', '']],
      [['Authorization', 'Bearer']],
      [['Authorization', 'Bearer ']],
      [['Authorization', good]],
      [['Authorization', `Basic ${Buffer.from(`alice:${good}`).toString('base64')}`]],
      [['Authorization', `DPoP ${good}`]],
      [['Cookie', `access_token=${good}; Authorization=Bearer ${good}`]],
      [['X-Authorization', `Bearer ${good}`]],
      [['Proxy-Authorization', `Bearer ${good}`]],
      [['X-Forwarded-User', 'alice@example.com']],
    ];
    for (const headers of ways)
      await expectRefused(sides.current, name, noToken, () =>
        call(sides.current, name, 'sts', { headers: [...headers, jsonType] }),
      );
    const target = `${sides.current[name].path('handlers')}?access_token=${good}`;
    await expectRefused(sides.current, name, noToken, () =>
      call(sides.current, name, 'handlers', { headers: [], target }),
    );
    await expectRefused(sides.current, name, noToken, () =>
      call(sides.current, name, 'sts', {
        headers: [['Content-Type', 'application/x-www-form-urlencoded']],
        body: `access_token=${good}`,
      }),
    );
  });

  it('refuses two Authorization headers, whichever comes first', async () => {
    const good = bearer(await sides.current.issuer.token());
    const evil = bearer(token({ alg: 'none' }, nothing));
    for (const headers of [
      [good, evil],
      [evil, good],
      [good, good],
    ])
      await expectRefused(sides.current, name, notSigned, () =>
        call(sides.current, name, 'sts', { headers: [...headers, jsonType] }),
      );
  });

  it('refuses a token that does not fit into a header, before it reads one', async () => {
    const huge = await sides.current.issuer.token({ padding: 'x'.repeat(20_000) });
    const answer = await withoutTrace(sides.current, () =>
      call(sides.current, name, 'handlers', { token: huge }),
    );
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
      431,
      'application/problem+json',
      'no-store',
    ]);
  });
});

describe('the issuer’s keys', () => {
  it('are not asked for again for every key id that a token invents', async () => {
    const { issuer } = sides.current;
    const before = issuer.calls.length;
    for (let index = 0; index < 20; index += 1)
      for (const name of sideNames)
        await call(sides.current, name, 'handlers', {
          token: await issuer.token({}, { header: { kid: `invented-${index}` } }),
        });
    expect(issuer.calls.length).toBe(before);
  });
});

describe('an issuer that publishes keys that nobody should use', () => {
  const own = useSides();

  it('gets no token accepted by a weak RSA key, a symmetric key, or one for encryption', async () => {
    const { issuer } = own.current;
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const secret = randomBytes(32);
    const sealed = await generateKeyPair('ES256', { extractable: true });
    issuer.published.push(
      { ...weak.publicKey.export({ format: 'jwk' }), kid: 'weak', alg: 'RS256', use: 'sig' } as never,
      { kty: 'oct', k: secret.toString('base64url'), kid: 'oct', alg: 'HS256', use: 'sig' } as never,
      { ...(await exportJWK(sealed.publicKey)), kid: 'sealed', alg: 'ES256', use: 'enc' } as never,
    );
    const payload = {
      iss: issuer.url,
      aud: us,
      sub: 'alice@example.com',
      scope: 'admin:cluster',
      exp: Math.floor(Date.now() / 1000) + 300,
    };
    for (const name of sideNames) {
      for (const [given, expected] of [
        [token({ alg: 'RS256', kid: 'weak' }, rsa(weak.privateKey), payload), notSigned],
        [token({ alg: 'HS256', kid: 'oct' }, hmac(secret), payload), badAlgorithm],
        [
          await issuer.token({}, { key: { ...issuer.keys[0]!, ...sealed }, header: { kid: 'sealed' } }),
          noKey,
        ],
      ] as const)
        await expectRefused(own.current, name, expected, () =>
          call(own.current, name, 'handlers', { token: given }),
        );
      expect((await call(own.current, name, 'handlers')).status).toBe(200);
    }
  });
});
