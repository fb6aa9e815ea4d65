import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildArgv } from '../src/argv.js';
import { preview } from '../src/preview.js';
import { shellLine } from '../src/shell.js';
import { requests } from './support.js';

const run_id = '01936b1e-4c00-7000-8000-000000000000';

/** What a real POSIX shell makes of a line. */
function readByShell(line: string): string[] {
  const out = execFileSync('/bin/sh', ['-c', `for item in ${line}; do printf '%s\\0' "$item"; done`], {
    encoding: 'utf8',
    env: {},
  });
  return out.split('\0').slice(0, -1);
}

describe('the argv', () => {
  it('of aws is one item per flag, and JSON for what is many', () => {
    const { binary, masked } = buildArgv({
      ...requests.aws(),
      run_id,
      duration_seconds: 900,
      external_id: 'acme:prod',
      region: 'eu-west-1',
      sts_source_identity: 'alice',
      policy: '{"Version":"2012-10-17","Statement":[]}',
      policy_arns: [
        'arn:aws:iam::aws:policy/ReadOnlyAccess',
        'arn:aws:iam::aws:policy/job-function/ViewOnlyAccess',
      ],
      tags: { incident: '42', team: 'sre' },
      transitive_tag_keys: ['incident'],
      serial_number: 'arn:aws:iam::123456789012:mfa/operator',
      token_code: '123456',
      profile: 'parent',
    });
    expect(binary).toBe('aws');
    expect(masked).toEqual([
      'aws',
      'sts',
      'assume-role',
      '--role-arn=arn:aws:iam::123456789012:role/deploy',
      `--role-session-name=cloud-cli-${run_id}`,
      '--duration-seconds=900',
      '--external-id=****',
      '--source-identity=alice',
      '--policy={"Version":"2012-10-17","Statement":[]}',
      '--policy-arns=[{"arn":"arn:aws:iam::aws:policy/ReadOnlyAccess"},{"arn":"arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"}]',
      '--tags=[{"Key":"incident","Value":"42"},{"Key":"team","Value":"sre"}]',
      '--transitive-tag-keys=["incident"]',
      '--serial-number=arn:aws:iam::123456789012:mfa/operator',
      '--token-code=****',
      '--profile=parent',
      '--region=eu-west-1',
      '--output=json',
    ]);
  });

  it('of gcloud names the delegates before the account, and asks for a lifetime only when it is not the default', () => {
    const flags = [
      '--format=json(token)',
      '--quiet',
      '--user-output-enabled',
      '--verbosity=warning',
      '--no-log-http',
    ];
    const impersonate = '--impersonate-service-account=';
    const minter = 'minter@my-project.iam.gserviceaccount.com';
    expect(buildArgv(requests.gcp()).masked).toEqual([
      'gcloud',
      'auth',
      'print-access-token',
      `${impersonate}${minter}`,
      ...flags,
    ]);
    const delegates = [
      'first1@my-project.iam.gserviceaccount.com',
      'second@my-project.iam.gserviceaccount.com',
    ];
    expect(buildArgv({ ...requests.gcp(), delegates, lifetime_seconds: 900 }).masked).toEqual([
      'gcloud',
      'auth',
      'print-access-token',
      `${impersonate}${delegates.join(',')},${minter}`,
      '--lifetime=900s',
      ...flags,
    ]);
  });

  it('of az has the resource or the scope, the tenant or the subscription', () => {
    const base = { provider: 'azure', target_credential_key: 'idp:azure:prod' };
    const argv = (more: object) => buildArgv({ ...base, ...more }).masked.slice(3);
    const flags = ['--output=json', '--only-show-errors'];
    expect(argv({})).toEqual(['--resource=https://management.azure.com/', ...flags]);
    expect(argv({ scope: 'https://vault.azure.net/.default', tenant: 'contoso.com' })).toEqual([
      '--scope=https://vault.azure.net/.default',
      '--tenant=contoso.com',
      ...flags,
    ]);
    expect(argv({ resource: 'https://vault.azure.net', subscription: 'Pay-As-You-Go' })).toEqual([
      '--resource=https://vault.azure.net',
      '--subscription=Pay-As-You-Go',
      ...flags,
    ]);
  });

  it('prints as its masked form, and opens only by reveal()', () => {
    const { argv, masked } = buildArgv({ ...requests.aws(), external_id: 'canary-external-id' });
    expect(argv.map(String)).toEqual(masked);
    expect(JSON.stringify(argv)).not.toContain('canary-external-id');
    expect(argv.map((item) => (typeof item === 'string' ? item : item.reveal()))).toContain(
      '--external-id=canary-external-id',
    );
  });

  it('never shows a secret field, whatever its value', async () => {
    const external = fc.string({
      unit: fc.constantFrom(...'abcXYZ0189_+=,.@:/-'),
      minLength: 8,
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(external, fc.stringMatching(/^[0-9]{6}$/), async (external_id, token_code) => {
        fc.pre(!/^(file|fileb|https?):\/\//i.test(external_id));
        const shown = JSON.stringify(
          await preview({ ...requests.aws(), run_id, external_id, token_code, role_session_name: 'ops' }),
        );
        expect(shown).not.toContain(external_id);
        expect(shown).not.toContain(`--token-code=${token_code}`);
        expect(shown.match(/=\*\*\*\*/g)?.length).toBe(4);
      }),
    );
  });

  it('quoted as a command is read back by sh as the same items', () => {
    const item = fc.oneof(
      fc.string({ unit: fc.constantFrom(...' \'"\\$`!*?[]{}()<>|&;#~=%\n\tabc-') }),
      fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0') && text.isWellFormed()),
    );
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 6 }), (items) => {
        expect(readByShell(shellLine(items))).toEqual(items);
      }),
      { numRuns: 150 },
    );
  });
});
