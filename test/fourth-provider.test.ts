/**
 * A fourth provider, by the file and the stand-in of examples/fourth-provider: handed to the library by an embedder,
 * and added to a copy of this tree by one file, its registration and one fixture, where every command then knows it.
 */
import { execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { alibaba } from '../examples/fourth-provider/alibaba.js';
import {
  CredentialKey,
  type CredentialOf,
  CredentialResolver,
  mint,
  openAuditStore,
  openCredentialStore,
  preview,
} from '../src/index.js';
import { persistSample, sampleCredential } from '../src/testing.js';
import { newController } from './http/support.js';
import { collect, root, temporaryDirectory } from './support.js';

const example = join(root, 'examples', 'fourth-provider');
/** Random enough for the stand-in's secrets, whose other half is random, to look so always: words would not. */
const canary = `Canary${'x1Y2z3W4'.repeat(5)}`;
const handlers = [alibaba];
const key = new CredentialKey('idp', 'alibaba:prod');
const request = (word = 'deploy') => ({
  provider: 'alibaba',
  target_credential_key: key.toString(),
  role_arn: `acs:ram::1234567890123456:role/${word}`,
});

/** A PATH with the stand-in as `aliyun`. */
function standIn(): string {
  const directory = temporaryDirectory();
  copyFileSync(join(example, 'aliyun'), join(directory, 'aliyun'));
  return `${directory}:/usr/bin:/bin`;
}

describe('a provider that an embedder passes', () => {
  /** What mints, in a home of its own. */
  async function newHost() {
    const home = temporaryDirectory();
    const audit = await openAuditStore(`sqlite:${join(home, 'audit.sqlite')}`);
    const store = await openCredentialStore(`file:${join(home, 'credentials')}`);
    onTestFinished(() => audit.close());
    const record = join(home, 'record');
    const env = { PATH: standIn(), HOME: home, FIXTURE_CANARY: canary, FIXTURE_RECORD: record };
    return { audit, store, env, record, options: { handlers, env } };
  }

  it('is previewed as it is spawned, with its secret masked', async () => {
    const host = await newHost();
    const asked = { ...request(), external_id: `${canary}-external` };
    const shown = await preview(asked, host.options);
    expect(shown).toMatchObject({ binary: 'aliyun', binary_present: true, source_identity: asked.role_arn });
    expect(shown.argv.at(-1)).toBe('--ExternalId=****');
    const { audit, store } = host;
    await mint({ ...asked, run_id: shown.run_id }, { ...host.options, audit, persist: store.persist });
    const spawned = readFileSync(host.record, 'utf8').trimEnd().split('\n');
    expect(spawned).toEqual([...shown.argv.slice(0, -1), `--ExternalId=${asked.external_id}`]);
  });

  it('mints into the ledger, the store and the resolver', async () => {
    const { audit, store, options } = await newHost();
    const envelope = await mint(request(), { ...options, audit, persist: store.persist });
    const row = await audit.get(envelope.audit_run_id);
    expect(row).toMatchObject({
      provider: 'alibaba',
      status: 'SUCCEEDED',
      session_name: `cloud-cli-${envelope.audit_run_id}`,
      access_key_id: expect.stringMatching(/^STS\./),
    });
    expect(Object.keys(row!.fingerprints)).toEqual(alibaba.parts);
    const resolved: unknown = await new CredentialResolver([store]).resolve(key);
    const credential = resolved as CredentialOf<typeof alibaba>;
    expect(credential.security_token.reveal()).toContain(canary);
    expect(JSON.stringify([row, credential, envelope])).not.toContain(canary);
  });

  it('names what is wrong with a request by its own fields', async () => {
    const { options } = await newHost();
    await expect(preview({ ...request(), role_arn: 'deploy', region: 'x' }, options)).rejects.toMatchObject({
      code: 'invalid_request',
      details: {
        issues: [
          { field: 'role_arn', message: 'must be the ARN of a RAM role in lower case' },
          { field: 'region', message: 'is not a field of alibaba' },
        ],
      },
    });
  });

  it('fails with its own hint, and its secrets stay out of what the vendor said', async () => {
    const { audit, store, options } = await newHost();
    const minting = { ...options, audit, persist: store.persist };
    await expect(mint(request('denied'), minting)).rejects.toMatchObject({
      code: 'nonzero_exit',
      message: expect.stringContaining('NoPermission'),
      hint: expect.stringContaining('AliyunSTSAssumeRoleAccess'),
      outcome: 'not_issued',
    });
    const leaky = { ...request('leaky'), external_id: `${canary}-external` };
    const failure = await mint(leaky, minting).catch((error) => error);
    expect(failure).toMatchObject({ code: 'nonzero_exit', outcome: 'unknown' });
    expect(failure.message).toContain('InternalError');
    const rows = await audit.list();
    expect(JSON.stringify([failure.toJSON(), rows])).not.toContain(canary);
  });

  it('has its place in the HTTP routes and their OpenAPI document', async () => {
    const host = await newController({ PATH: standIn(), handlers });
    const { body: listed } = await host.call('handlers');
    expect(listed[0]).toMatchObject({ provider: 'alibaba', binary: 'aliyun', binary_present: true });
    expect(await host.call('preview', { body: request() })).toMatchObject({
      status: 200,
      body: { provider: 'alibaba', binary_present: true },
    });
    expect(await host.call('sts', { body: request() })).toMatchObject({
      status: 200,
      body: { credential_key: key.toString(), source_identity: request().role_arn },
    });
    const { body: document } = await host.call('/openapi.json');
    expect(document.components.schemas.alibaba_request.required).toContain('role_arn');
  });

  it('has samples to test a hook with', async () => {
    const { store } = await newHost();
    const sample = sampleCredential({ provider: 'alibaba', handlers });
    await persistSample(store.persist!, sample);
    const kept: unknown = await store.read(new CredentialKey('idp', 'alibaba:sample'));
    expect(Object.keys(kept as object)).toEqual(Object.keys(sample));
  });
});

describe('a provider that the tree gets by one file, its registration and one fixture', () => {
  let tree: string;
  let env: NodeJS.ProcessEnv;

  beforeAll(() => {
    tree = mkdtempSync(join(tmpdir(), 'cloud-cli-fourth-'));
    for (const part of ['src', 'bin', 'fixtures', '.ci', 'package.json', 'tsconfig.json'])
      cpSync(join(root, part), join(tree, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
    // The file, which imports from inside what an embedder has from the package.
    const file = readFileSync(join(example, 'alibaba.ts'), 'utf8')
      .replace(/,\n {2}Secret,\n\} from '@alphaswarm\/cloud-cli';/, ",\n} from '../handler.js';")
      .replace(
        "import * as z from 'zod';",
        "import * as z from 'zod';\nimport { Secret } from '../secret.js';",
      );
    writeFileSync(join(tree, 'src/handlers/alibaba.ts'), file);
    // Its registration.
    const index = join(tree, 'src/handlers/index.ts');
    const before = readFileSync(index, 'utf8');
    const after = before
      .replace("from './gcp.js';\n", "from './gcp.js';\nimport { alibaba } from './alibaba.js';\n")
      .replace('= { aws, gcp, azure };', '= { aws, gcp, azure, alibaba };');
    expect(after.length - before.length).toBe("import { alibaba } from './alibaba.js';\n, alibaba".length);
    writeFileSync(index, after);
    // The fixture.
    copyFileSync(join(example, 'aliyun'), join(tree, 'fixtures/bin/aliyun'));

    execFileSync('npm', ['run', '--silent', 'build'], { cwd: tree, stdio: ['ignore', 'ignore', 'inherit'] });
    mkdirSync(join(tree, 'home'));
    env = {
      PATH: `${join(tree, 'fixtures/bin')}:${dirname(process.execPath)}:/usr/bin:/bin`,
      HOME: join(tree, 'home'),
      FIXTURE_CANARY: canary,
    };
  });
  afterAll(() => rmSync(tree, { recursive: true, force: true }));

  const command = (args: string[], more: NodeJS.ProcessEnv = {}) =>
    collect(spawn(process.execPath, [join(tree, 'bin/cloud-cli.js'), ...args], { env: { ...env, ...more } }));
  const flags = [
    '--provider',
    'alibaba',
    '--target-credential-key',
    key.toString(),
    '--role-arn',
    request().role_arn,
  ];

  it('is listed, with its flags in the help', async () => {
    const listed = JSON.parse((await command(['handlers', '--json'])).stdout);
    expect(listed.map(({ provider }: { provider: string }) => provider)).toEqual([
      'aws',
      'gcp',
      'azure',
      'alibaba',
    ]);
    expect(listed[3]).toMatchObject({ binary: 'aliyun', binary_present: true });
    const { stdout: help } = await command(['mint', '--help']);
    expect(help).toMatch(/One of aws, gcp, azure, alibaba\./);
    const shared = help.slice(help.indexOf('Request, aws, alibaba:'), help.indexOf('Request, aws:'));
    for (const flag of ['--role-arn', '--duration-seconds', '--external-id', '--role-session-name'])
      expect(shared).toContain(flag);
    expect(shared.replace(/\s+/g, ' ')).toContain('such as acs:ram::1234567890123456:role/deploy.');
  });

  it('is previewed and minted by the command, and used by exec', async () => {
    const shown = JSON.parse((await command(['preview', ...flags, '--json'])).stdout);
    expect(shown.command).toMatch(/^aliyun sts AssumeRole --RoleArn=/);
    const minted = await command(['mint', ...flags, '--json'], {
      CLOUD_CLI_EXTERNAL_ID: `${canary}-external`,
    });
    expect([minted.code, minted.stderr]).toEqual([0, '']);
    expect(JSON.parse(minted.stdout)).toMatchObject({ credential_key: key.toString() });
    const { stdout: rows } = await command(['audit', 'list', '--provider', 'alibaba', '--json']);
    expect(JSON.parse(rows)[0]).toMatchObject({
      status: 'SUCCEEDED',
      argv: expect.arrayContaining(['--ExternalId=****']),
    });
    expect(minted.stdout + rows).not.toContain(canary);
    const used = await command(['exec', key.toString(), '--', '/usr/bin/env'], {
      ALIBABA_CLOUD_PROFILE: 'parent',
    });
    expect(used.stdout).toMatch(new RegExp(`^ALIBABA_CLOUD_ACCESS_KEY_SECRET=${canary}`, 'm'));
    expect(used.stdout).toMatch(/^ALIBABA_CLOUD_ACCESS_KEY_ID=STS\./m);
    expect(used.stdout).not.toContain('ALIBABA_CLOUD_PROFILE');
  });

  it('fails by the command with its own hint', async () => {
    const failed = await command(['mint', ...flags.slice(0, -1), request('denied').role_arn]);
    expect(failed.code).toBe(5);
    expect(failed.stderr).toMatch(/cloud-cli: hint: Grant the parent credential AliyunSTSAssumeRoleAccess/);
  });

  it('is no credential of an AWS profile, and is checked by doctor', async () => {
    await command(['mint', ...flags]);
    const refused = await command(['credential-process', key.toString()]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('is not an AWS credential')]);
    const looked = await command(['doctor', '--provider', 'alibaba']);
    expect(looked.stdout).toContain('aliyun');
  });
});
