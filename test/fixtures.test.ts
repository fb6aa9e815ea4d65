/** The stand-ins answer in the recorded forms of the vendors' CLIs, and misbehave as their words say. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collect, fixturePath, recorded, temporaryDirectory, until } from './support.js';

const arn = 'arn:aws:iam::123456789012:role/teams/';
const email = 'my-project.iam.gserviceaccount.com';
const assumeRole = (name: string, ...more: string[]) => [
  'aws',
  ...['sts', 'assume-role', `--role-arn=${arn}${name}`, '--role-session-name=incident-42', ...more],
];
const printAccessToken = (id: string, ...more: string[]) => [
  'gcloud',
  ...[
    'auth',
    'print-access-token',
    `--impersonate-service-account=${id}@${email}`,
    '--format=json(token)',
    ...more,
  ],
];
const getAccessToken = (host: string, ...more: string[]) => [
  'az',
  ...['account', 'get-access-token', `--resource=https://${host}.example/`, '--output=json', ...more],
];

function start([file, ...args]: string[], env: Record<string, string> = {}) {
  return spawn(file!, args, {
    env: { PATH: fixturePath, TZ: 'UTC', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
}

const run = (argv: string[], env?: Record<string, string>) => collect(start(argv, env));

const impersonation = (id: string) =>
  `WARNING: This command is using service account impersonation. All API calls will be executed as [${id}@${email}].\n`;

describe('aws', () => {
  it('answers with the shape, the session and the lifetime of the recording', async () => {
    const { code, stdout, stderr } = await run(
      assumeRole('deploy', '--duration-seconds=900', '--output=json'),
    );
    expect([code, stderr]).toEqual([0, '']);
    const { Credentials, AssumedRoleUser, PackedPolicySize } = JSON.parse(stdout);
    expect(stdout).toBe(`${JSON.stringify({ Credentials, AssumedRoleUser, PackedPolicySize }, null, 4)}\n`);
    expect(Object.keys(Credentials)).toEqual([
      'AccessKeyId',
      'SecretAccessKey',
      'SessionToken',
      'Expiration',
    ]);
    expect(Credentials.AccessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    expect(Credentials.SecretAccessKey).toHaveLength(40);
    expect(Math.abs(Date.parse(Credentials.Expiration) - Date.now() - 900_000)).toBeLessThan(30_000);
    expect(AssumedRoleUser.Arn).toBe('arn:aws:sts::123456789012:assumed-role/deploy/incident-42');
  });

  it('refuses in the recorded words', async () => {
    expect(await run(assumeRole('denied'))).toMatchObject({
      code: 255,
      stdout: '',
      stderr: `\nAn error occurred (AccessDenied) when calling the AssumeRole operation: User: arn:aws:iam::111111111111:user/operator is not authorized to perform: sts:AssumeRole on resource: ${arn}denied\n`,
    });
  });

  it('refuses a flag of aws v2 and a short duration', async () => {
    const unknown = await run(assumeRole('deploy', '--no-cli-pager'));
    expect(unknown).toMatchObject({ code: 255, stdout: '' });
    expect(unknown.stderr).toMatch(
      /^usage: \rNote: AWS CLI version 2.*\nUnknown options: --no-cli-pager\n$/s,
    );
    expect(await run(assumeRole('deploy', '--duration-seconds=60'))).toMatchObject({
      code: 255,
      stderr:
        '\nParameter validation failed:\nInvalid value for parameter DurationSeconds, value: 60, valid min value: 900\n',
    });
  });

  it('says who the parent is, or that there is none', async () => {
    const whoami = ['aws', 'sts', 'get-caller-identity', '--output=json'];
    expect(JSON.parse((await run(whoami)).stdout)).toHaveProperty(
      'Arn',
      'arn:aws:iam::111111111111:user/operator',
    );
    const { code, stderr } = await run(whoami, { FIXTURE_PARENT: 'not-logged-in' });
    expect([code, stderr]).toEqual([
      255,
      'Unable to locate credentials. You can configure credentials by running "aws configure".\n',
    ]);
  });
});

describe('gcloud', () => {
  it('prints the token, and on stderr whose it is', async () => {
    const { code, stdout, stderr } = await run(printAccessToken('minter', '--lifetime=900s', '--quiet'));
    expect([code, stderr]).toEqual([0, impersonation('minter')]);
    expect(stdout).toMatch(/^\{\n {2}"token": "ya29\.c\.\w{180}"\n\}\n$/);
  });

  it('refuses in the recorded words', async () => {
    const { code, stderr } = await run(printAccessToken('denied'));
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^WARNING: .*\nERROR: \(gcloud\.auth\.print-access-token\) PERMISSION_DENIED: Failed to/,
    );
    expect(stderr).toMatch(
      /\n {4}permission: iam\.serviceAccounts\.getAccessToken\n {2}reason: IAM_PERMISSION_DENIED\n/,
    );
  });

  it('gives the operator’s own token, and no word of it, when the account is empty', async () => {
    const own = [
      'gcloud',
      'auth',
      'print-access-token',
      '--impersonate-service-account=',
      '--format=json(token)',
    ];
    expect(await run(own)).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('"token"') });
  });

  it('refuses an unknown flag and too long a lifetime', async () => {
    expect(await run(printAccessToken('minter', '--bogus=x'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('unrecognized arguments: --bogus=x \n'),
    });
    expect(await run(printAccessToken('minter', '--lifetime=50000'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('value must be less than or equal to 43200s; received: 50000\n'),
    });
  });
});

describe('az', () => {
  it('answers with expires_on, and the token agrees', async () => {
    const { code, stdout, stderr } = await run(getAccessToken('vault', '--only-show-errors'));
    expect([code, stderr]).toEqual([0, '']);
    const answer = JSON.parse(stdout);
    expect(stdout).toBe(`${JSON.stringify(answer, null, 2)}\n`);
    const names = ['accessToken', 'expiresOn', 'expires_on', 'subscription', 'tenant', 'tokenType'];
    expect(Object.keys(answer)).toEqual(names);
    const claims = JSON.parse(Buffer.from(answer.accessToken.split('.')[1], 'base64url').toString());
    expect(claims).toMatchObject({
      exp: answer.expires_on,
      tid: answer.tenant,
      aud: 'https://vault.example/',
    });
    expect(Date.parse(`${answer.expiresOn.replace(' ', 'T')}Z`)).toBe(answer.expires_on * 1000);
  });

  it('before 2.54 has no expires_on, and local time', async () => {
    const { stdout } = await run(getAccessToken('old-az'), { TZ: 'America/New_York' });
    const answer = JSON.parse(stdout);
    expect(answer).not.toHaveProperty('expires_on');
    const { exp } = JSON.parse(Buffer.from(answer.accessToken.split('.')[1], 'base64url').toString());
    const offHours = (Date.parse(`${answer.expiresOn.replace(' ', 'T')}Z`) / 1000 - exp) / 3600;
    expect([-5, -4]).toContain(offHours);
  });

  it('with a tenant names no subscription', async () => {
    const { stdout } = await run(getAccessToken('vault', '--tenant=contoso.onmicrosoft.com'));
    expect(JSON.parse(stdout)).not.toHaveProperty('subscription');
    expect(JSON.parse(stdout)).toHaveProperty('tenant', 'contoso.onmicrosoft.com');
  });

  it.each([
    [
      getAccessToken('denied'),
      1,
      /^ERROR: Failed to connect to MSI\. .*\nGet Token request returned: <Response \[403\]>\n$/,
    ],
    [getAccessToken('vault', '--tenant=denied.example'), 1, /403/],
    [getAccessToken('vault', '--subscription=not-found'), 1, /^ERROR: Subscription 'not-found' not found\. /],
    [
      getAccessToken('not-found'),
      1,
      /^ERROR: AADSTS500011: .*https:\/\/not-found\.example\/.*\r\nTrace ID: /,
    ],
    [getAccessToken('vault', '--bogus=x'), 2, /^ERROR: unrecognized arguments: --bogus=x\n/],
  ])('%j fails in the recorded words', async (argv, code, words) => {
    const ran = await run(argv);
    expect([ran.code, ran.stdout]).toEqual([code, '']);
    expect(ran.stderr).toMatch(words);
  });
});

describe('every stand-in', () => {
  const success = {
    aws: assumeRole('deploy'),
    gcloud: printAccessToken('minter'),
    az: getAccessToken('vault'),
  };

  it.each(Object.entries(success))('%s says which version it is', async (binary) => {
    const { code, stdout } = await run([binary, '--version']);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^(?:aws-cli\/1|Google Cloud SDK 5|azure-cli +2)/),
    ]);
  });

  it.each(Object.entries(success))('%s makes other secrets at each call', async (_, argv) => {
    const [first, second] = [await run(argv), await run(argv)];
    expect(first.stdout).not.toBe(second.stdout);
  });

  it.each(Object.entries(success))(
    '%s makes its secrets from the canary, and records its call',
    async (binary, argv) => {
      const record = join(temporaryDirectory(), 'calls');
      const { stdout } = await run(argv, { FIXTURE_CANARY: 'tweety', FIXTURE_RECORD: record });
      const secrets = {
        aws: [`"tweetysecret${'x'.repeat(28)}"`, 'Xdztweetysessionx'],
        gcloud: ['"ya29.c.tweety"'],
        az: ['.tweetysignature"'],
      }[binary]!;
      for (const secret of secrets) expect(stdout).toContain(secret);
      const calls = recorded(record);
      expect(calls).toHaveLength(1);
      expect(calls[0]).toMatchObject({
        argv,
        env: { FIXTURE_RECORD: record },
        pid: expect.any(Number),
      });
    },
  );

  it.each([
    assumeRole('leaky', '--external-id=in/out', '--token-code=123456'),
    printAccessToken('leaky0'),
    getAccessToken('leaky'),
  ])('%s spills its secrets among colours and direction marks', async (...argv) => {
    const { code, stdout, stderr } = await run(argv, { FIXTURE_CANARY: 'tweety' });
    expect([code, stdout]).toEqual([1, '']);
    for (const spilt of ['tweety', '\u001b[31m', '\u202e']) expect(stderr).toContain(spilt);
    if (argv[0] === 'aws') expect(stderr).toMatch(/in\/out.*123456/s);
  });

  it('ends with status 0 and no usable JSON where its word says so', async () => {
    for (const argv of [assumeRole('garbage'), printAccessToken('empty-00'), getAccessToken('truncated')]) {
      const { code, stdout } = await run(argv);
      expect(code).toBe(0);
      expect(() => JSON.parse(stdout)).toThrow();
    }
  });

  it('dies by a signal after a good answer', async () => {
    const { signal, stdout } = await run(assumeRole('signal'));
    expect(signal).toBe('SIGKILL');
    expect(JSON.parse(stdout)).toHaveProperty('Credentials');
  });

  it('leaves a grandchild that holds the pipes and ignores SIGTERM', async () => {
    const record = join(temporaryDirectory(), 'calls');
    const child = start(getAccessToken('grandchild'), { FIXTURE_RECORD: record });
    const ended = collect(child);
    let isClosed = false;
    child.once('close', () => {
      isClosed = true;
    });
    const exited = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
    await until(() => recorded(record)[0]);
    process.kill(-child.pid!, 'SIGTERM');
    expect([await exited, isClosed]).toEqual(['SIGTERM', false]);
    process.kill(-child.pid!, 'SIGKILL');
    await ended;
  });

  it('answers at once and leaves the pipes open', async () => {
    const child = start(printAccessToken('orphan-pipe'));
    const ended = collect(child);
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
    process.kill(-child.pid!, 'SIGKILL');
    expect(JSON.parse((await ended).stdout)).toHaveProperty('token');
  });
});
