/** The scripted command, as scripts and operators use it: the built `cloud-cli` in a fresh home. */
import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { main } from '../src/cli/main.js';
import { exitCodes } from '../src/errors.js';
import { openCredentialStore } from '../src/index.js';
import { persistSample, sampleCredential } from '../src/testing.js';
import {
  cloudCli,
  collect,
  fixturePath,
  flagsOf,
  freshEnvironment,
  recorded,
  requests,
  root,
  script,
  startCloudCli,
  until,
} from './support.js';

const mintAws = ['mint', ...flagsOf(requests.aws())];

/** An environment whose spawned commands are recorded. */
function recording(more: NodeJS.ProcessEnv = {}) {
  const env = freshEnvironment(more);
  const record = join(env.HOME!, 'record');
  const withRecord: NodeJS.ProcessEnv = { ...env, FIXTURE_RECORD: record };
  return { env: withRecord, spawned: () => recorded(record) };
}

const lastRow = async (env: NodeJS.ProcessEnv) =>
  JSON.parse((await cloudCli(['audit', 'list', '--limit', '1', '--json'], env)).stdout)[0];

describe('cloud-cli mint', () => {
  it('in a fresh home makes it, for its user alone, and prints the envelope', async () => {
    const env = freshEnvironment();
    const ran = await cloudCli([...mintAws, '--json'], env);
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(Object.keys(JSON.parse(ran.stdout))).toEqual([
      'credential_key',
      'expires_at',
      'source_identity',
      'audit_run_id',
    ]);
    const modes = [
      '',
      'audit.sqlite',
      'credentials',
      'credentials/identity.txt',
      'credentials/idp:aws:prod.age',
    ].map((name) => statSync(join(env.CLOUD_CLI_HOME!, name)).mode & 0o777);
    expect(modes).toEqual([0o700, 0o600, 0o700, 0o600, 0o600]);
  });

  it.each<[string, Record<string, string>, string[]]>([
    ['invalid_request', {}, ['--duration-seconds', '1e3']],
    ['binary_missing', { PATH: '/nonexistent' }, []],
    ['nonzero_exit', {}, ['--role-arn', 'arn:aws:iam::123456789012:role/denied']],
    ['parse_error', {}, ['--role-arn', 'arn:aws:iam::123456789012:role/garbage']],
    ['timeout', {}, ['--role-arn', 'arn:aws:iam::123456789012:role/hanging', '--timeout-seconds', '1']],
    ['persist_failed', { CLOUD_CLI_STORE_URL: 'none:' }, []],
    ['audit_unavailable', { CLOUD_CLI_AUDIT_URL: 'sqlite:/proc/audit.sqlite' }, []],
  ])(
    'fails as %s with its exit status, one JSON document, and words for a person',
    async (code, more, flags) => {
      const ran = await cloudCli([...mintAws, ...flags, '--json'], freshEnvironment(more));
      expect(ran.code).toBe(exitCodes[code as keyof typeof exitCodes]);
      expect(JSON.parse(ran.stdout)).toMatchObject({
        error: { code, message: expect.any(String), hint: expect.any(String) },
      });
      // What the request itself is refused for says nothing of a cloud.
      if (code !== 'invalid_request')
        expect(JSON.parse(ran.stdout).error.outcome).toMatch(/^(?:not_issued|unknown|issued)$/);
      expect(ran.stderr).toMatch(
        /^cloud-cli: error: .+\n(cloud-cli: outcome: .+\n)?cloud-cli: hint: .+\n(cloud-cli: run: [0-9a-f-]{36}\n)?$/,
      );
      expect(ran.stderr).not.toContain('\u001b');
    },
  );

  it('names in its hint the flags of the fields that it refuses, and none for what was given elsewhere', async () => {
    const env = freshEnvironment();
    const refused = async (args: string[], more = {}) => {
      const { code, stdout } = await cloudCli([...args, '--json'], { ...env, ...more });
      const { error } = JSON.parse(stdout);
      expect([code, error.code]).toEqual([exitCodes.invalid_request, 'invalid_request']);
      return {
        fields: error.issues.map(({ field }: { field: string }) => field),
        flags: error.hint.match(/--[a-z][a-z-]+(?=[ ,.]|$)/g) ?? [],
      };
    };
    const role = requests.aws().role_arn;
    expect(await refused(['mint', '--provider', 'aws', '--role-arn', 'deploy'])).toEqual({
      fields: ['role_arn', 'target_credential_key'],
      flags: ['--role-arn', '--target-credential-key'],
    });
    expect(await refused([...mintAws, '--duration-seconds=1'])).toEqual({
      fields: ['duration_seconds'],
      flags: ['--duration-seconds'],
    });
    const file = join(env.HOME!, 'external-id');
    writeFileSync(file, 'a b');
    const external_id = { fields: ['external_id'], flags: [] };
    expect(await refused([...mintAws, '--external-id-file', file])).toEqual({
      ...external_id,
      flags: ['--external-id-file'],
    });
    expect(await refused(mintAws, { CLOUD_CLI_EXTERNAL_ID: 'a b' })).toEqual(external_id);
    const config = join(env.HOME!, 'config.json');
    writeFileSync(config, JSON.stringify({ targets: { prod: { provider: 'aws', role_arn: role } } }));
    expect(await refused(['mint', 'prod'], { CLOUD_CLI_CONFIG: config })).toEqual({
      fields: ['target_credential_key'],
      flags: [],
    });
    expect(await refused(['audit', 'list', '--since', 'yesterday'])).toEqual({
      fields: ['since'],
      flags: ['--since'],
    });
    expect(await refused([...mintAws, '--min-remaining', 'soon'])).toEqual({
      fields: ['min_remaining'],
      flags: ['--min-remaining'],
    });
  });

  it('on Ctrl-C ends the vendor process, records the run as cancelled and exits with 130', async () => {
    const { env, spawned } = recording();
    const child = startCloudCli(
      [...mintAws, '--role-arn', 'arn:aws:iam::123456789012:role/grandchild', '--json'],
      env,
    );
    const ran = collect(child);
    await until(() => spawned().length === 1);
    child.kill('SIGINT');
    expect(await ran).toMatchObject({ code: 130, stdout: expect.stringContaining('"cancelled"') });
    expect(existsSync(`/proc/${spawned()[0]!.pid}/exe`)).toBe(false);
    expect(await lastRow(env)).toMatchObject({
      status: 'FAILED',
      outcome: 'unknown',
      error: { code: 'cancelled' },
    });
  });

  it('of one key by two processes at once mints once: the other gets a conflict', async () => {
    const { env, spawned } = recording();
    const { file, directory } = script(
      `until [ -e "\${0%/*}/go" ]; do sleep 0.05; done; exec ${join(root, 'fixtures', 'bin', 'aws')} "$@"`,
    );
    renameSync(file, join(directory, 'aws'));
    const both = [1, 2].map(() =>
      cloudCli([...mintAws, '--json'], { ...env, PATH: `${directory}:${fixturePath}` }),
    );
    expect((await Promise.race(both)).code).toBe(exitCodes.conflict);
    writeFileSync(join(directory, 'go'), '');
    const codes = (await Promise.all(both)).map(({ code }) => code);
    expect(codes.toSorted()).toEqual([0, exitCodes.conflict]);
    expect(spawned()).toHaveLength(1);
  });

  it('of the run id of a preview spawns what it showed; again it gives the same envelope and spawns nothing', async () => {
    const { env, spawned } = recording();
    const shown = JSON.parse((await cloudCli(['preview', ...flagsOf(requests.aws()), '--json'], env)).stdout);
    expect([spawned(), existsSync(env.CLOUD_CLI_HOME!)]).toEqual([[], false]);
    const args = [...mintAws, '--run-id', shown.run_id, '--json'];
    const first = await cloudCli(args, env);
    expect(spawned().map(({ argv }) => argv)).toEqual([shown.argv]);
    expect(await cloudCli(args, env)).toEqual(first);
    expect(spawned()).toHaveLength(1);
  });

  it('takes secrets from the environment, a file or standard input, and hands on none of ours', async () => {
    const { env, spawned } = recording();
    const file = join(env.HOME!, 'external-id');
    writeFileSync(file, 'from-a-file\n');
    await cloudCli(mintAws, { ...env, CLOUD_CLI_EXTERNAL_ID: 'from-environment' });
    await cloudCli([...mintAws, '--external-id-file', file], {
      ...env,
      CLOUD_CLI_EXTERNAL_ID: 'from-environment',
    });
    await cloudCli([...mintAws, '--external-id-file', '-'], env, 'from-stdin\n');
    await cloudCli([...mintAws, '--external-id', 'from-a-flag'], env);
    const given = spawned().map(({ argv }) => argv.find((item) => item.startsWith('--external-id=')));
    expect(given).toEqual(
      ['from-environment', 'from-a-file', 'from-stdin', 'from-a-flag'].map(
        (value) => `--external-id=${value}`,
      ),
    );
    expect(spawned()[0]!.env).not.toHaveProperty('CLOUD_CLI_EXTERNAL_ID');
    const gcp = await cloudCli(['mint', ...flagsOf(requests.gcp())], {
      ...env,
      CLOUD_CLI_EXTERNAL_ID: 'of-another-provider',
    });
    expect(gcp.code).toBe(0);
  });

  it('takes a secret from the environment before one of a target, and from a flag before both', async () => {
    const { env, spawned } = recording();
    const config = join(env.HOME!, 'config.json');
    const prod = { ...requests.aws(), external_id: 'from-the-file' };
    writeFileSync(config, JSON.stringify({ targets: { prod } }));
    const both = { ...env, CLOUD_CLI_CONFIG: config, CLOUD_CLI_EXTERNAL_ID: 'from-environment' };
    await cloudCli(['mint', 'prod'], { ...both, CLOUD_CLI_EXTERNAL_ID: '' });
    await cloudCli(['mint', 'prod'], both);
    await cloudCli(['mint', 'prod', '--external-id', 'from-a-flag'], both);
    expect(spawned().map(({ argv }) => argv.find((item) => item.startsWith('--external-id=')))).toEqual(
      ['from-the-file', 'from-environment', 'from-a-flag'].map((value) => `--external-id=${value}`),
    );
  });

  it('refuses a tag without a value, which a slip makes, and takes one whose value is empty', async () => {
    const { env } = recording();
    const slip = await cloudCli([...mintAws, '--tags', 'env', 'prod', '--json'], env);
    expect([slip.code, JSON.parse(slip.stdout).error.issues]).toEqual([
      2,
      [{ field: 'tags', message: 'must be given as key=value' }],
    ]);
    expect((await cloudCli([...mintAws, '--tags', 'env='], env)).code).toBe(0);
  });

  it('takes lists and maps by repeated flags', async () => {
    const { env, spawned } = recording();
    const more = [
      '--policy-arns',
      'arn:aws:iam::aws:policy/ReadOnlyAccess',
      '--policy-arns',
      'arn:aws:iam::aws:policy/ViewOnlyAccess',
      '--tags',
      'team=sre',
      '--tags',
      'note=a=b',
    ];
    expect((await cloudCli([...mintAws, ...more], env)).code).toBe(0);
    expect(spawned()[0]!.argv).toContain(
      '--tags=[{"Key":"team","Value":"sre"},{"Key":"note","Value":"a=b"}]',
    );
    expect(spawned()[0]!.argv).toContain(
      '--policy-arns=[{"arn":"arn:aws:iam::aws:policy/ReadOnlyAccess"},{"arn":"arn:aws:iam::aws:policy/ViewOnlyAccess"}]',
    );
  });

  it('of a target takes it from the configuration, under what the flags say', async () => {
    const { env, spawned } = recording();
    const config = join(env.HOME!, 'config.json');
    writeFileSync(
      config,
      JSON.stringify({
        targets: { prod: { ...requests.aws(), duration_seconds: 900 } },
        allow: [{ max_lifetime_seconds: 1000 }],
      }),
    );
    const configured = { ...env, CLOUD_CLI_CONFIG: config };
    expect((await cloudCli(['mint', 'prod', '--region', 'eu-west-1'], configured)).code).toBe(0);
    expect(spawned()[0]!.argv).toEqual(
      expect.arrayContaining(['--duration-seconds=900', '--region=eu-west-1']),
    );
    expect((await cloudCli(['mint', 'prod', '--duration-seconds', '3600'], configured)).code).toBe(
      exitCodes.policy_denied,
    );
    expect((await cloudCli(['mint', 'nope'], configured)).code).toBe(exitCodes.invalid_request);
    expect(spawned()).toHaveLength(1);
  });

  it('with --min-remaining mints only what runs out, and says on stderr what it kept', async () => {
    const { env, spawned } = recording();
    const first = await cloudCli([...mintAws, '--min-remaining', '15m', '--json'], env);
    const again = await cloudCli([...mintAws, '--min-remaining', '15m', '--json'], env);
    expect([first.stderr, again.code, again.stdout]).toEqual(['', 0, first.stdout]);
    expect(again.stderr).toBe('cloud-cli: kept: idp:aws:prod is still fresh, 59m left; nothing was minted\n');
    expect((await cloudCli([...mintAws, '--min-remaining', '2h', '--json'], env)).stdout).not.toBe(
      first.stdout,
    );
    expect((await cloudCli([...mintAws, '--min-remaining', 'soon'], env)).code).toBe(
      exitCodes.invalid_request,
    );
    expect(spawned()).toHaveLength(2);
  });

  it('writes what it cannot read where only recipients are configured', async () => {
    const env = freshEnvironment();
    // A recipient whose identity stays elsewhere.
    await cloudCli(mintAws, env);
    const recipient = /public key: (age1\w+)/.exec(
      readFileSync(join(env.CLOUD_CLI_HOME!, 'credentials', 'identity.txt'), 'utf8'),
    )![1]!;
    const writer = freshEnvironment({ CLOUD_CLI_AGE_RECIPIENTS: recipient });
    expect((await cloudCli(mintAws, writer)).code).toBe(0);
    expect(existsSync(join(writer.CLOUD_CLI_HOME!, 'credentials', 'identity.txt'))).toBe(false);
    expect((await cloudCli(['exec', 'idp:aws:prod', '--', 'true'], writer)).code).toBe(
      exitCodes.invalid_request,
    );
    expect((await cloudCli(['credentials', 'show', 'idp:aws:prod'], writer)).code).toBe(0);
    const opened = execFileSync('cp', [
      join(writer.CLOUD_CLI_HOME!, 'credentials', 'idp:aws:prod.age'),
      join(env.CLOUD_CLI_HOME!, 'credentials'),
    ]);
    expect(String(opened)).toBe('');
    expect((await cloudCli(['exec', 'idp:aws:prod', '--', 'true'], env)).code).toBe(0);
  });
});

describe('cloud-cli exec', () => {
  it('gives a command the credential and clears the parent’s', async () => {
    const env = freshEnvironment({
      FIXTURE_CANARY: 'marked',
      AWS_PROFILE: 'parent',
      AWS_ACCESS_KEY_ID: 'parent',
      GOOGLE_APPLICATION_CREDENTIALS: '/parent',
    });
    for (const request of [requests.aws(), requests.gcp(), requests.azure()])
      await cloudCli(['mint', ...flagsOf(request)], env);
    const ran = await cloudCli(
      ['exec', 'idp:aws:prod', 'idp:gcp:prod', 'idp:azure:prod', '--', '/usr/bin/env'],
      env,
    );
    const got = Object.fromEntries(
      ran.stdout
        .trim()
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    expect(got).toMatchObject({
      AWS_ACCESS_KEY_ID: expect.stringMatching(/^ASIA/),
      AWS_SECRET_ACCESS_KEY: expect.stringContaining('marked'),
      AWS_SESSION_TOKEN: expect.stringContaining('marked'),
      AWS_CREDENTIAL_EXPIRATION: expect.stringMatching(/Z$/),
      CLOUDSDK_AUTH_ACCESS_TOKEN: expect.stringContaining('marked'),
      AZURE_ACCESS_TOKEN: expect.any(String),
    });
    expect(got).not.toHaveProperty('AWS_PROFILE');
    expect(got).not.toHaveProperty('GOOGLE_APPLICATION_CREDENTIALS');
  });

  it('passes on arguments, exit status and signals', async () => {
    const env = freshEnvironment();
    await cloudCli(mintAws, env);
    const exec = ['exec', 'idp:aws:prod', '--'];
    expect(await cloudCli([...exec, 'sh', '-c', 'echo "$1"; exit 7', 'x', '--json'], env)).toMatchObject({
      code: 7,
      stdout: '--json\n',
    });
    expect(await cloudCli([...exec, 'sh', '-c', 'kill -TERM $$'], env)).toMatchObject({ code: 143 });
    const child = startCloudCli(
      [...exec, 'sh', '-c', 'trap "echo got; exit 3" TERM; echo ready; while :; do sleep 0.05; done'],
      env,
    );
    const ran = collect(child);
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    child.kill('SIGTERM');
    expect(await ran).toMatchObject({ code: 3, stdout: 'ready\ngot\n' });
  });

  it('never runs the command without the credential', async () => {
    const env = freshEnvironment();
    await cloudCli(mintAws, env);
    const store = await openCredentialStore(`file:${join(env.CLOUD_CLI_HOME!, 'credentials')}`);
    await persistSample(
      store.persist!,
      sampleCredential({ credential_key: 'idp:aws:prod', lifetime_seconds: -1 }),
    );
    expect(await cloudCli(['exec', 'idp:aws:prod', '--', 'echo', 'ran'], env)).toMatchObject({
      code: exitCodes.expired,
      stdout: '',
    });
    expect(await cloudCli(['exec', 'idp:aws:gone', '--', 'echo', 'ran'], env)).toMatchObject({
      code: exitCodes.not_found,
      stdout: '',
    });
    expect(await cloudCli(['exec', 'idp:aws:prod', 'echo', 'ran'], env)).toMatchObject({
      code: exitCodes.invalid_request,
      stdout: '',
    });
  });

  it('exits as env and shells do where there is no such command, or none that can be executed', async () => {
    const env = freshEnvironment();
    await cloudCli(mintAws, env);
    const directory = env.HOME!;
    const plain = join(directory, 'plain');
    writeFileSync(plain, 'echo ran\n', { mode: 0o644 });
    const ended = async (command: string) => {
      const { code, stdout, stderr } = await cloudCli(['exec', 'idp:aws:prod', '--', command], env);
      expect(stderr).toMatch(/^cloud-cli: error: .+\ncloud-cli: hint: .+\n$/);
      return [code, stdout, stderr.split('\n')[0]];
    };
    expect(await ended('no-such-command')).toEqual([
      127,
      '',
      'cloud-cli: error: no-such-command is not found on PATH',
    ]);
    expect(await ended('/nonexistent')).toEqual([127, '', 'cloud-cli: error: /nonexistent is not found']);
    expect(await ended('')).toEqual([127, '', "cloud-cli: error: '' is not found on PATH"]);
    for (const [command, why] of [
      [plain, 'EACCES'],
      [directory, 'EACCES'],
      [`${plain}/below`, 'ENOTDIR'],
    ] as const)
      expect(await ended(command)).toEqual([
        126,
        '',
        `cloud-cli: error: ${command} cannot be executed (${why})`,
      ]);
  });
});

describe('cloud-cli', () => {
  it('credential-process answers as AWS documents, for AWS credentials alone', async () => {
    const env = freshEnvironment();
    await cloudCli(mintAws, env);
    const ran = await cloudCli(['credential-process', 'idp:aws:prod'], env);
    const answer = JSON.parse(ran.stdout);
    expect(answer).toEqual({
      Version: 1,
      AccessKeyId: expect.stringMatching(/^ASIA/),
      SecretAccessKey: expect.any(String),
      SessionToken: expect.any(String),
      Expiration: expect.stringMatching(/Z$/),
    });
    await cloudCli(['mint', ...flagsOf(requests.gcp())], env);
    expect(await cloudCli(['credential-process', 'idp:gcp:prod'], env)).toMatchObject({
      code: exitCodes.invalid_request,
      stdout: '',
    });
    expect(await cloudCli(['credential-process', 'idp:aws:gone'], env)).toMatchObject({
      code: exitCodes.not_found,
      stdout: '',
    });
  });

  it('credential-process refuses a terminal', () => {
    const env = freshEnvironment();
    const quoted = `node ${join(root, 'bin', 'cloud-cli.js')} credential-process idp:aws:prod; echo "exit $?"`;
    const shown = execFileSync('script', ['-qec', quoted, '/dev/null'], {
      env: { ...env, PATH: fixturePath, TERM: 'xterm' },
      encoding: 'utf8',
    });
    expect(shown).toContain('is a terminal');
    expect(shown).toContain('exit 2');
  });

  it('audit export prints the chain so that its hashes can be made again', async () => {
    const env = freshEnvironment();
    await cloudCli(mintAws, env);
    const lines = (await cloudCli(['audit', 'export'], env)).stdout.trim().split('\n');
    const { chainHash, genesis } = await import('../src/audit/chain.js');
    let previous = genesis;
    for (const line of lines) {
      const { hash } = JSON.parse(line) as { hash: string };
      const body = `${line.slice(0, line.lastIndexOf(',"hash":'))}}`;
      expect(chainHash(previous, body)).toBe(hash);
      previous = hash;
    }
    expect(lines.map((line) => JSON.parse(line).kind)).toEqual(['PENDING', 'ISSUED', 'SUCCEEDED']);
  });

  it('audit verify finds a ledger that was cut off since its head was saved', async () => {
    const env = freshEnvironment();
    await cloudCli(mintAws, env);
    const head = join(env.HOME!, 'head.json');
    writeFileSync(head, (await cloudCli(['audit', 'verify', '--json'], env)).stdout);
    expect((await cloudCli(['audit', 'verify', '--head', head], env)).code).toBe(0);
    const other = freshEnvironment();
    await cloudCli(mintAws, other);
    expect(await cloudCli(['audit', 'verify', '--head', head], other)).toMatchObject({
      code: exitCodes.audit_unavailable,
    });
    expect((await cloudCli(['audit', 'verify', '--head', '/nonexistent'], env)).code).toBe(
      exitCodes.invalid_request,
    );
  });

  it('audit trace finds who minted a leaked token', async () => {
    const env = freshEnvironment({ CLOUD_CLI_ACTOR: 'alice@example.com' });
    await cloudCli(['mint', ...flagsOf({ ...requests.gcp(), reason: 'INC-42' })], env);
    const leaked = await cloudCli(
      ['exec', 'idp:gcp:prod', '--', 'sh', '-c', 'printf %s "$CLOUDSDK_AUTH_ACCESS_TOKEN"'],
      env,
    );
    const traced = await cloudCli(['audit', 'trace', '-', '--json'], env, `${leaked.stdout}\n`);
    expect(JSON.parse(traced.stdout)).toMatchObject([
      { actor: 'alice@example.com', reason: 'INC-42', credential_key: 'idp:gcp:prod' },
    ]);
    expect(await cloudCli(['audit', 'trace', '-'], env, 'ya29.another')).toMatchObject({
      code: exitCodes.not_found,
    });
  });

  it.each(['handlers --json', 'audit list --json', 'audit export'])(
    '%s fails when its output cannot be written',
    async (args) => {
      const env = freshEnvironment();
      await cloudCli(mintAws, env);
      const line = `node ${join(root, 'bin', 'cloud-cli.js')} ${args} >/dev/full`;
      const ran = await collect(spawn('sh', ['-c', line], { env }));
      expect([ran.code, ran.stderr]).toEqual([
        1,
        expect.stringContaining('standard output cannot be written (ENOSPC)'),
      ]);
    },
  );

  it('is quiet when its reader has seen enough', () => {
    const env = freshEnvironment();
    const line = `node ${join(root, 'bin', 'cloud-cli.js')} handlers --json | head -c 1`;
    expect(
      execFileSync('sh', ['-c', line], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    ).toBe('[');
  });
});

describe('cloud-cli audit import', () => {
  it('lets go of the file where the ledger refuses its chain', async () => {
    const env = freshEnvironment();
    expect((await cloudCli(mintAws, env)).code).toBe(0);
    const file = join(env.HOME!, 'audit.jsonl');
    writeFileSync(file, (await cloudCli(['audit', 'export'], env)).stdout);
    const io = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough(), env };
    expect(await main(['audit', 'import', file], io)).toBe(exitCodes.conflict);
    const held = readdirSync('/proc/self/fd').filter((fd) => existsSync(`/proc/self/fd/${fd}`));
    expect(held.map((fd) => readlinkSync(`/proc/self/fd/${fd}`))).not.toContain(file);
  });
});
