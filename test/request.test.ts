import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CloudCliError } from '../src/errors.js';
import { checkRequest } from '../src/request.js';
import { requests } from './support.js';

/** The fields that `request` is refused for; empty when it is accepted. */
function refused(request: unknown): string[] {
  try {
    checkRequest(request);
    return [];
  } catch (error) {
    if (!(error instanceof CloudCliError) || error.code !== 'invalid_request') throw error;
    return error.toJSON().issues?.map(({ field }) => field) ?? [];
  }
}

const uuid = '12345678-1234-1234-1234-123456789012';
const email = 'minter@acme-prod-42.iam.gserviceaccount.com';
const notText: unknown[] = [123, null, true, [], {}, undefined, ['x'], { toString: 'x' }];
const notWhole: unknown[] = [
  0,
  -900,
  3600.5,
  '1h',
  '',
  '3600',
  '3600; id',
  '0x384',
  '9e2',
  '٣٦٠٠',
  ' 3600 ',
  [3600],
  true,
  null,
  { valueOf: 3600 },
  1e21,
  Infinity,
  Number.NaN,
  -0,
  undefined,
];

type Cases = Record<string, { accept: unknown[]; reject: unknown[] }>;

const common: Cases = {
  target_credential_key: {
    accept: [
      'idp:aws:prod',
      'idp:aws:team-a_1',
      'a:b',
      'idp:aws:prod:eu-west-1',
      '1:2:3:4:5:6:7:8',
      `a:${'b'.repeat(63)}`,
      'a:b.c-d_e',
    ],
    reject: [
      '',
      '   ',
      'idp',
      ' idp:aws:prod',
      'idp:aws:prod\n',
      '../../etc/passwd',
      'idp:aws:../../x',
      'idp/aws/prod',
      'idp:aws:prod\0.json',
      'idp::prod',
      'idp:aws:',
      ':aws',
      '__proto__',
      '--help',
      'idp:aws:prоd',
      'IDP:aws',
      'a:b--c',
      'a:-b',
      'a:b-',
      'a:b._c',
      '1:2:3:4:5:6:7:8:9',
      `a:${'b'.repeat(64)}`,
      `${'a'.repeat(60)}:${'b'.repeat(60)}:${'c'.repeat(60)}:${'d'.repeat(60)}`,
      ...notText,
    ],
  },
  run_id: {
    accept: ['01936b1e-4c00-7000-8000-000000000000', '01936b1e-4c00-7fff-bfff-ffffffffffff'],
    reject: [
      '',
      '01936b1e-4c00-4000-8000-000000000000',
      '01936B1E-4C00-7000-8000-000000000000',
      '01936b1e-4c00-7000-c000-000000000000',
      '01936b1e4c0070008000000000000000',
      ...notText,
    ],
  },
  timeout_seconds: { accept: [1, 60], reject: [61, ...notWhole] },
  reason: {
    accept: ['INC-42: rotate the deploy key', 'a'.repeat(256), 'Zürich ☂', '😀'.repeat(256)],
    reject: [
      '',
      ' ',
      'a'.repeat(257),
      'two\nlines',
      'tab\there',
      'esc\u001b[31m',
      'bidi\u202e',
      'zero\u200bwidth',
      '\ud800',
      'line\u2028',
      ...notText,
    ],
  },
};

const cases: Record<string, Cases> = {
  aws: {
    ...common,
    role_arn: {
      accept: [
        'arn:aws:iam::123456789012:role/Deploy',
        'arn:aws:iam::123456789012:role/ops/team/Deploy',
        'arn:aws:iam::123456789012:role/a',
        'arn:aws-cn:iam::123456789012:role/Deploy',
        'arn:aws-us-gov:iam::123456789012:role/Deploy',
        'arn:aws-iso:iam::123456789012:role/Deploy',
        'arn:aws-iso-b:iam::123456789012:role/Deploy',
        'arn:aws-eusc:iam::123456789012:role/Deploy',
        'arn:aws:iam::123456789012:role/Deploy_x+=,.@-1',
        `arn:aws:iam::123456789012:role/${'x'.repeat(64)}`,
        'arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_0a1b2c3d4e5f6a7b',
      ],
      reject: [
        '',
        'Deploy',
        'arn:aws:iam::123456789012:user/Deploy',
        'arn:aws:sts::123456789012:assumed-role/Deploy/s',
        'arn:aws:iam::12345678901:role/Deploy',
        'arn:aws:iam::1234567890123:role/Deploy',
        `arn:aws:iam::123456789012:role/${'x'.repeat(65)}`,
        'arn:aws:iam::123456789012:role/',
        'arn:aws:iam::123456789012:role/Deploy ',
        'arn:aws:iam::123456789012:role/Deploy\n',
        '--profile=admin',
        'arn:aws:iam::123456789012:role/Deploy;id',
        'arn:aws:iam::123456789012:role/$(id)',
        'arn:aws:iam:us-east-1:123456789012:role/Deploy',
        'arn:aws:iam::12345678901２:role/Deploy',
        'arn:evil:iam::123456789012:role/Deploy',
        'file:///etc/passwd',
        `arn:aws:iam::123456789012:role/${'p'.repeat(2100)}/x`,
        ...notText,
      ],
    },
    duration_seconds: { accept: [900, 3600, 43200], reject: [899, 43201, ...notWhole] },
    external_id: {
      accept: ['7d444840-9dc0-11d1-b245-5ffdce74fad2', 'acme:prod/eu@1', 'ab', 'x'.repeat(1224)],
      reject: [
        '',
        'a',
        'acme prod',
        'acme;rm',
        'acme\n',
        'acme#1',
        'x'.repeat(1225),
        'file:///etc/passwd',
        'fileb://x',
        'http://x/y',
        'https://x/y',
        'FILE://x',
        'ä'.repeat(3),
        ...notText,
      ],
    },
    region: {
      accept: [
        'us-east-1',
        'eu-central-2',
        'cn-northwest-1',
        'us-gov-west-1',
        'us-iso-east-1',
        'us-isob-east-1',
        'eu-isoe-west-1',
        'eusc-de-east-1',
        'ap-southeast-7',
        'mx-central-1',
      ],
      reject: [
        '',
        'us-east-1.evil.example',
        'US-EAST-1',
        'us east 1',
        'us-east-1/../x',
        '--endpoint-url=http://evil.example',
        'us-east-1\n',
        'us-east',
        'us-east-1#',
        ...notText,
      ],
    },
    role_session_name: {
      accept: ['incident-42', 'op@example.com', 'ab', 'x'.repeat(64)],
      reject: ['', 'a', 'x'.repeat(65), 'a b', 'a/b', 'a\n', 'ü-ü', ...notText],
    },
    sts_source_identity: {
      accept: ['alice', 'alice@example.com'],
      reject: ['', 'a', 'x'.repeat(65), 'a b', 'aws:x', ...notText],
    },
    policy: {
      accept: ['{"Version":"2012-10-17","Statement":[]}', '{\n\t"Statement": []\r\n}'],
      reject: [
        '',
        'not json',
        '[]',
        '"x"',
        'null',
        '{"a":1',
        'file://policy.json',
        `{"x":"${'y'.repeat(2048)}"}`,
        '{"x":"☂"}',
        '{"x":"\u0001"}',
        { Statement: [] },
        ...notText.slice(0, 3),
      ],
    },
    policy_arns: {
      accept: [
        ['arn:aws:iam::aws:policy/ReadOnlyAccess'],
        ['arn:aws:iam::123456789012:policy/team/x', 'arn:aws:iam::aws:policy/job-function/ViewOnlyAccess'],
      ],
      reject: [
        [],
        [''],
        'arn:aws:iam::aws:policy/ReadOnlyAccess',
        ['arn:aws:iam::123456789012:role/x'],
        ['file://x'],
        Array(11).fill('arn:aws:iam::aws:policy/ReadOnlyAccess'),
        [null],
        null,
        {},
        true,
      ],
    },
    tags: {
      accept: [{ team: 'sre' }, { 'a b/c': '' }, { Größe: 'é' }, { k: 'v'.repeat(256) }],
      reject: [
        {},
        { '': 'x' },
        { 'aws:x': 'y' },
        { 'AWS:x': 'y' },
        { a: 'x', A: 'y' },
        { a: 1 },
        { a: null },
        { 'a;b': 'c' },
        { a: '<' },
        { a: 'v'.repeat(257) },
        { ['k'.repeat(129)]: '' },
        Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'v'])),
        'a=b',
        ['a=b'],
        null,
        true,
      ],
    },
    transitive_tag_keys: { accept: [['team']], reject: [[], [''], 'team', ['a;b'], [1], null] },
    serial_number: {
      accept: ['arn:aws:iam::123456789012:mfa/operator', 'GAHT12345678'],
      reject: [
        '',
        'short',
        'x'.repeat(257),
        'arn:aws:iam::123456789012:mfa/oper ator',
        'file:///etc/serial',
        ...notText,
      ],
    },
    token_code: {
      accept: ['123456', '000000'],
      reject: ['', '12345', '1234567', '12345a', '１２３４５６', ' 123456', '123456\n', 123456, null, true],
    },
    profile: {
      accept: ['default', 'prod', 'team a', 'AWSReservedSSO_x-123456789012'],
      reject: ['', '--debug', '-x', ' x', 'x ', 'a\nb', 'file://x', 'a"b', 'a]b', ...notText],
    },
  },
  gcp: {
    ...common,
    service_account_email: {
      accept: [
        email,
        'sa-name@proj.example.com.iam.gserviceaccount.com',
        '123456789012-compute@developer.gserviceaccount.com',
        'acme-prod-42@appspot.gserviceaccount.com',
        'abcdef@acme-prod-42.iam.gserviceaccount.com',
      ],
      reject: [
        '',
        'alice@example.com',
        `${email} `,
        `-${email}`,
        'Minter@acme-prod-42.iam.gserviceaccount.com',
        `${email}.evil.example`,
        'min@acme-prod-42.iam.gserviceaccount.com',
        'minter@acme_prod.iam.gserviceaccount.com',
        `${email};id`,
        `serviceAccount:${email}`,
        `${email},other@acme-prod-42.iam.gserviceaccount.com`,
        `${email}\n`,
        `x${'a'.repeat(30)}@acme-prod-42.iam.gserviceaccount.com`,
        ...notText,
      ],
    },
    lifetime_seconds: { accept: [60, 3600, 43200], reject: [59, 43201, ...notWhole] },
    delegates: {
      accept: [[email], [email, 'deleg8@acme-prod-42.iam.gserviceaccount.com']],
      reject: [[], [''], email, ['alice@example.com'], [`${email},${email}`], [null], null, true],
    },
  },
  azure: {
    ...common,
    resource: {
      accept: [
        'https://management.azure.com/',
        'https://vault.azure.net',
        'https://graph.microsoft.com',
        'api://11111111-2222-3333-4444-555555555555',
        '00000003-0000-0000-c000-000000000000',
        'https://service',
        'https://management.core.windows.net/',
        'https://management.chinacloudapi.cn/',
        'https://management.usgovcloudapi.net/',
        'urn:ms-drs:enterpriseregistration.windows.net',
      ],
      reject: [
        '',
        '\0',
        'scope |',
        'scope;',
        'scope,',
        "scope'",
        'scope&',
        '--debug',
        'https://x y',
        '@/etc/passwd',
        'file:///etc/passwd',
        'https://',
        'https://-x',
        'https://x\n',
        'https://user:pw@host/',
        'https://x?y=z',
        ...notText,
      ],
    },
    scope: {
      accept: [
        'https://vault.azure.net/.default',
        'api://11111111-2222-3333-4444-555555555555/access',
        '00000003-0000-0000-c000-000000000000/.default',
        'https://graph.microsoft.com/User.Read',
        'https://service/.default',
      ],
      reject: [
        '',
        '.default',
        'https://vault.azure.net',
        'a b',
        '--debug',
        '@x',
        'https://x/.default https://y/.default',
        ...notText,
      ],
    },
    tenant: {
      accept: [uuid, 'contoso.onmicrosoft.com', 'contoso.com', uuid.toUpperCase()],
      reject: [
        '',
        ' ',
        '&quot;invalid-tenant-id&quot;',
        `${uuid}|`,
        `${uuid} |`,
        '<',
        '>',
        '\0',
        `<${uuid}>`,
        `${uuid}&`,
        `${uuid};`,
        `${uuid}'`,
        '--debug',
        '-o',
        '@x',
        'contoso..com',
        '.com',
        'contoso.com\n',
        ...notText,
      ],
    },
    subscription: {
      accept: [uuid, 'Example of a subscription_string', 'Pay-As-You-Go'],
      reject: [
        '',
        ' ',
        '&quot;invalid-subscription-string&quot;',
        `${uuid}|`,
        '<',
        '>',
        '\0',
        `<${uuid}>`,
        `${uuid}&`,
        `${uuid};`,
        `${uuid}'`,
        '--debug',
        '-o',
        ' x',
        'x ',
        '@x',
        'x\n',
        ...notText,
      ],
    },
  },
};

const base: Record<string, Record<string, unknown>> = {
  aws: requests.aws(),
  gcp: requests.gcp(),
  azure: { ...requests.azure(), resource: undefined },
};
delete base.azure!.resource;

describe.each(Object.keys(cases))('a request to %s', (provider) => {
  for (const [field, { accept, reject }] of Object.entries(cases[provider]!)) {
    it(`accepts what the grammar of ${field} allows`, () => {
      for (const value of accept)
        expect([value, refused({ ...base[provider], [field]: value })]).toEqual([value, []]);
    });

    it(`refuses ${field} outside its grammar, and names it`, () => {
      for (const value of reject)
        expect([value, refused({ ...base[provider], [field]: value })]).toEqual([value, [field]]);
    });
  }

  it('refuses unknown fields by name, those of other providers too', () => {
    const other = provider === 'gcp' ? 'role_arn' : 'service_account_email';
    expect(refused({ ...base[provider], [other]: 'x', scopes: ['openid'] })).toEqual([other, 'scopes']);
    expect(
      refused(JSON.parse(`${JSON.stringify(base[provider]).slice(0, -1)},"__proto__":{"x":1}}`)),
    ).toEqual(['__proto__']);
    expect(refused({ ...base[provider], toString: 'x', constructor: 'y' })).toEqual([
      'toString',
      'constructor',
    ]);
  });

  it('names each required field that is missing', () => {
    expect(refused({ provider })).toEqual(
      ['target_credential_key', { aws: 'role_arn', gcp: 'service_account_email' }[provider]].filter(Boolean),
    );
  });
});

describe('a request', () => {
  it('refuses such a key inside a field too, instead of losing it', () => {
    expect(refused({ ...base.aws, tags: JSON.parse('{"team":"infra","__proto__":"x"}') })).toEqual(['tags']);
  });

  it('says of a bad key what is bad about it, and of a value of another type only that', () => {
    const asked = (more: object) => () => checkRequest({ ...base.aws, ...more });
    expect(asked({ tags: { 'aws:x': 'b' } })).toThrow(/^tags: must not have keys that begin with aws:$/);
    expect(asked({ policy_arns: 'x' })).toThrow(/^policy_arns: must be a list$/);
  });

  it('names a provider from the list, whatever Object.prototype has', () => {
    for (const provider of [
      'constructor',
      '__proto__',
      'toString',
      '',
      'AWS',
      'aws ',
      null,
      ['aws'],
      1,
      undefined,
    ]) {
      expect(refused({ ...requests.aws(), provider })).toEqual(['provider']);
    }
  });

  it('is a plain JSON object', () => {
    for (const request of [null, undefined, 'x', 1, [], [requests.aws()], new Map(), new Date(), () => ({})])
      expect(refused(request)).toEqual(['request']);
  });

  it('takes a tenant or a subscription, a resource or a scope, not both', () => {
    expect(refused({ ...base.azure, tenant: 'contoso.com', subscription: 'Pay-As-You-Go' })).toEqual([
      'subscription',
    ]);
    expect(
      refused({
        ...base.azure,
        resource: 'https://vault.azure.net',
        scope: 'https://vault.azure.net/.default',
      }),
    ).toEqual(['scope']);
  });

  it('is refused without a word of its values', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 8, maxLength: 40 }).filter((text) => !/^[\w+=,.@:/-]+$/.test(text)),
        (value) => {
          try {
            checkRequest({ ...requests.aws(), external_id: value });
            expect.unreachable();
          } catch (error) {
            expect(JSON.stringify(error)).not.toContain(JSON.stringify(value).slice(1, -1));
          }
        },
      ),
    );
  });

  it('never fails in another way than invalid_request, whatever JSON it is', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void refused(value)));
    fc.assert(
      fc.property(
        fc.constantFrom('aws', 'gcp', 'azure'),
        fc.dictionary(
          fc.constantFrom(
            ...Object.keys(cases.aws!),
            ...Object.keys(cases.gcp!),
            ...Object.keys(cases.azure!),
          ),
          fc.jsonValue(),
        ),
        (provider, members) => void refused({ ...members, provider }),
      ),
    );
  });

  it('has one digest for one credential, whatever its run, timeout, reason, secrets and order of members', () => {
    const digest = (more: object) => checkRequest({ ...requests.aws(), ...more }).digest;
    const same = {
      run_id: '01936b1e-4c00-7000-8000-000000000000',
      timeout_seconds: 5,
      reason: 'x',
      duration_seconds: 3600,
    };
    expect(digest(same)).toBe(digest({}));
    expect(digest({ tags: { a: '1', b: '2' } })).toBe(digest({ tags: { b: '2', a: '1' } }));
    expect(digest({ token_code: '123456' })).toBe(digest({ token_code: '654321' }));
    const others = [
      { token_code: '123456' },
      { duration_seconds: 900 },
      { tags: { a: '1' } },
      { target_credential_key: 'idp:aws:dev' },
    ];
    expect(new Set([{}, ...others].map(digest)).size).toBe(others.length + 1);
  });
});
