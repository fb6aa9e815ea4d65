/** Requests of the right fields and wrong values, field by field. */
import { buildArgv } from '../../../src/argv.js';
import { fieldsOf, listHandlers } from '../../../src/request.js';
import { holdsOf, planted } from '../checked.js';
import { Choices } from '../choices.js';
import { expectThat, type Target } from '../target.js';

const handlers = listHandlers();

/** A value of each field that is taken. */
const samples: Readonly<Record<string, readonly unknown[]>> = {
  target_credential_key: ['idp:aws:prod', 'a:b'],
  timeout_seconds: [1, 60],
  reason: ['INC-42: a reason'],
  run_id: ['01936b1e-4c00-7d3a-9c1e-2f6b8f0a4d11'],
  role_arn: ['arn:aws:iam::123456789012:role/deploy', 'arn:aws-us-gov:iam::123456789012:role/a/b/c'],
  duration_seconds: [900, 43200],
  external_id: ['external/Id-1'],
  region: ['eu-west-1', 'us-gov-west-1'],
  role_session_name: ['session@1'],
  sts_source_identity: ['alice'],
  policy: ['{"Version":"2012-10-17","Statement":[]}', '\n{ "a": "file://x" }\n'],
  policy_arns: [['arn:aws:iam::aws:policy/ReadOnlyAccess']],
  tags: [{ team: 'core', cost: '' }],
  transitive_tag_keys: [['team']],
  serial_number: ['arn:aws:iam::123456789012:mfa/operator'],
  token_code: ['123456'],
  profile: ['prod parent'],
  service_account_email: [
    'minter@my-project.iam.gserviceaccount.com',
    '1-compute@developer.gserviceaccount.com',
  ],
  lifetime_seconds: [60, 43200, 3600],
  delegates: [['minter@my-project.iam.gserviceaccount.com', 'proj.example.com@appspot.gserviceaccount.com']],
  resource: ['https://vault.azure.net', 'urn:a:b', 'api://x'],
  scope: ['https://vault.azure.net/.default'],
  tenant: ['contoso.onmicrosoft.com', '00000000-0000-0000-0000-000000000001'],
  subscription: ['My Subscription', '00000000-0000-0000-0000-000000000002'],
};

export const request: Target = {
  name: 'request',
  seeds: [new Uint8Array(0), ...Array.from({ length: 24 }, (_, seed) => spread(seed))],
  words: [
    planted,
    'file://',
    'fileb://',
    'HTTPS://',
    '@/etc/passwd',
    '--debug',
    '-o',
    '^:^',
    '\u2028',
    '=x',
    '__proto__',
  ],
  run(input) {
    const choices = new Choices(input);
    const handler = choices.of(handlers);
    const fields = [...fieldsOf(handler), { name: 'run_id', type: 'string', required: false }];
    // One wrong field hides what the others would have done, so that most inputs change one alone.
    const wrong = new Set(choices.upTo(8) === 0 ? fields : [choices.of(fields)]);
    const asked: [string, unknown][] = [['provider', handler.name]];
    for (const field of fields) {
      const sample = choices.of(samples[field.name] ?? ['']);
      if (wrong.has(field)) asked.push([field.name, changed(sample, field.type, choices)]);
      else if (field.required || choices.upTo(3) === 0) asked.push([field.name, sample]);
    }
    const value = Object.fromEntries(asked);
    const checked = holdsOf(value);
    if (!checked) return;
    const again = holdsOf(value);
    expectThat(again?.digest === checked.digest, 'another digest for the same request');
    const same = buildArgv({ ...value, run_id: checked.run_id });
    expectThat(
      JSON.stringify(same.masked) === JSON.stringify(buildArgv({ ...value, run_id: checked.run_id }).masked),
      'another command line for the same run',
    );
  },
};

function changed(sample: unknown, type: string, choices: Choices): unknown {
  const text = () => textFrom(sample, choices);
  switch (choices.upTo(8)) {
    case 0:
    case 1:
    case 2:
      return type === 'integer'
        ? choices.upTo(65_536) - 100
        : type === 'string'
          ? text()
          : many(type, text, choices);
    case 3:
      return choices.text();
    case 4:
      return choices.of([null, true, 0, -1, 0.5, 1e21, '', [], {}, [[]], [null], { a: 1 }, '0', '60']);
    case 5:
      return `${planted}${text()}`;
    case 6:
      return { [choices.text(12)]: `${planted}${choices.text(12)}` };
    default:
      return [`${planted}${text()}`, choices.text(12)];
  }
}

function many(type: string, text: () => string, choices: Choices): unknown {
  const count = 1 + choices.upTo(3);
  const items = Array.from({ length: count }, text);
  return type === 'list' ? items : Object.fromEntries(items.map((item) => [item, choices.text(12)]));
}

/** What turns a value into something else for a shell, a CLI, a ledger or a terminal. */
const tricks = [
  '@',
  '-',
  '--',
  '--debug',
  '=',
  ' ',
  ',',
  '"',
  "'",
  '\\',
  '/',
  '//',
  '..',
  'file://',
  'FileB://',
  'http://x',
  '^:^',
  '^',
  '{}',
  '[]',
  '\0',
  '\n',
  '\r',
  '\t',
  '\x1b[31m',
  '\x7f',
  '\u0085',
  '\u200b',
  '\u202e',
  '\u2028',
  '\u2029',
  '\ufeff',
  '\ud800',
  '\u{e0041}',
  'é',
  'İ',
  'ſ',
  '٣',
  '%0a',
  '$(id)',
  '`id`',
  ';',
  '|',
  '&',
  '*',
  '~',
  '#',
  '<run_id>',
  planted,
];

/** The sample with a piece of text in it, over it, or before or behind it. */
function textFrom(sample: unknown, choices: Choices): string {
  const known = typeof sample === 'string' ? sample : JSON.stringify(sample).replace(/["[\]{}]/g, '');
  const at = choices.of([0, known.length, choices.upTo(known.length + 1)]);
  const piece = choices.upTo(3) > 0 ? choices.of(tricks) : choices.text(24);
  return known.slice(0, at) + piece + known.slice(at + choices.of([0, 0, 0, 1, 2]));
}

/** Bytes that choose something else everywhere. */
function spread(seed: number): Uint8Array {
  return Uint8Array.from({ length: 120 }, (_, index) => (index * 37 + seed * 11) & 0xff);
}
