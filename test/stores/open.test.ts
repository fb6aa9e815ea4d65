/** Stores by their URL: which kinds there are, what each needs installed, and a whole life through the command. */
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openCredentialStore } from '../../src/index.js';
import { cloudCli, flagsOf, freshEnvironment, requests, root, temporaryDirectory } from '../support.js';
import { vault } from './services.js';

const kinds = [
  'file:',
  'vault+https:',
  'vault+http:',
  'aws-ssm:',
  'aws-secretsmanager:',
  'gcp-secretmanager:',
  'azure-keyvault:',
  'none:',
];

const urls = {
  '@aws-sdk/client-ssm': 'aws-ssm:/cloud-cli?region=eu-central-1',
  '@aws-sdk/client-secrets-manager': 'aws-secretsmanager:cloud-cli?region=eu-central-1',
  'google-auth-library': 'gcp-secretmanager:my-project/cloud-cli',
  '@azure/keyvault-secrets': 'azure-keyvault:my-vault/cloud-cli',
};

describe('openCredentialStore', () => {
  for (const url of [
    '',
    'file',
    'file:',
    's3:bucket',
    'vault:x',
    'none:x',
    'toString:',
    'FILE:x',
    ' file:x',
  ]) {
    it(`names every kind where the URL is "${url}"`, async () => {
      const error = await openCredentialStore(url).catch((error: unknown) => error);
      expect(error).toMatchObject({ code: 'invalid_request' });
      for (const kind of kinds) expect((error as Error).message).toContain(kind);
    });
  }

  it('has every kind in its documentation, the README and the manual, with what to install', () => {
    const page = readFileSync(join(root, 'docs', 'stores.md'), 'utf8');
    const manual = readFileSync(join(root, 'man', 'cloud-cli-config.5'), 'utf8');
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    for (const kind of kinds.filter((kind) => kind !== 'vault+http:'))
      for (const text of [page, manual, readme]) expect(text).toContain(kind);
    for (const name of Object.keys(urls)) expect(page).toContain(name);
  });

  it('opens every kind', async () => {
    const names = {
      ...urls,
      vault: 'vault+https://vault.example/secret',
      file: `file:${temporaryDirectory()}/x`,
    };
    for (const url of Object.values(names)) {
      const store = await openCredentialStore(url);
      expect([url, typeof store.persist, typeof store.ready]).toEqual([url, 'function', 'function']);
      await store.close();
    }
  });

  it('refuses recipients for a store that does not encrypt to them', async () => {
    for (const url of [...Object.values(urls), 'vault+https://vault.example/secret'])
      await expect(openCredentialStore(url, { recipients: ['age1'] })).rejects.toMatchObject({
        code: 'invalid_request',
        message: expect.stringContaining('CLOUD_CLI_AGE_RECIPIENTS: is for file: alone'),
      });
  });

  for (const [url, words] of [
    ['aws-ssm:cloud-cli', /prefix/],
    ['aws-ssm:/', /prefix/],
    ['aws-ssm:/aws/x', /prefix/],
    ['aws-ssm:/a/b/c/d/e/f/g/h', /prefix/],
    ['aws-ssm:/x?zone=y', /region and kms_key_id/],
    ['aws-ssm:/x?region=a%20b', /region and kms_key_id/],
    ['aws-secretsmanager:', /prefix/],
    ['aws-secretsmanager:/x', /prefix/],
    ['aws-secretsmanager:x?kms_key_id=', /region and kms_key_id/],
  ] as const) {
    it(`refuses ${url}`, async () => {
      await expect(openCredentialStore(url)).rejects.toMatchObject({
        code: 'invalid_request',
        message: expect.stringMatching(words),
      });
    });
  }

  it('asks for a region where neither the URL nor the host names one', async () => {
    await expect(openCredentialStore('aws-ssm:/cloud-cli')).rejects.toMatchObject({
      code: 'invalid_request',
      hint: 'Add ?region=eu-central-1, or set AWS_REGION.',
    });
  });
});

describe('without an SDK', () => {
  it('says what to install, and loads every store all the same', () => {
    const bare = temporaryDirectory();
    cpSync(join(root, 'dist'), join(bare, 'dist'), { recursive: true });
    writeFileSync(join(bare, 'package.json'), '{"type":"module"}');
    const names = ['vault', 'aws-ssm', 'aws-secretsmanager', 'gcp-secretmanager', 'azure-keyvault'];
    const code = `
      for (const name of ${JSON.stringify(names)}) await import('./dist/library/stores-' + name + '.js');
      const { openCredentialStore } = await import('./dist/library/index.js');
      for (const url of ${JSON.stringify(Object.values(urls))})
        await openCredentialStore(url).catch(({ code, message, hint }) => console.log([code, message, hint].join('|')));
    `;
    const args = ['--input-type=module', '-e', code];
    const told = execFileSync(process.execPath, args, { cwd: bare, encoding: 'utf8' });
    expect(told.trim().split('\n')).toEqual(
      Object.keys(urls).map(
        (name) => `invalid_request|store_url: needs ${name}, which is not installed|Run: npm install ${name}`,
      ),
    );
  });
});

describe('the command', () => {
  it('mints into Vault, uses what it minted, and removes it', async () => {
    const service = await vault();
    onTestFinished(() => void service.close());
    const env = freshEnvironment({
      CLOUD_CLI_STORE_URL: `vault+${service.url}/secret/cloud-cli`,
      VAULT_TOKEN: service.root,
    });
    const run = async (...args: string[]) => {
      const ran = await cloudCli(args, env);
      expect([args, ran.code, ran.stderr]).toEqual([args, 0, ran.stderr]);
      return ran.stdout;
    };
    const key = requests.aws().target_credential_key;
    await run('mint', ...flagsOf(requests.aws()));
    expect(service.secrets.get('cloud-cli/idp/aws/prod')).toHaveLength(1);
    expect(JSON.parse(await run('credentials', 'list', '--json'))).toMatchObject([{ credential_key: key }]);
    const token = service.secrets.get('cloud-cli/idp/aws/prod')?.at(-1)?.data?.session_token;
    expect(await run('exec', key, '--', '/usr/bin/env')).toContain(`AWS_SESSION_TOKEN=${token}`);
    await run('credentials', 'remove', key);
    expect(service.secrets.size).toBe(0);
  });

  it('mints nothing where Vault is sealed, and says what to do', async () => {
    const service = await vault();
    onTestFinished(() => void service.close());
    service.be('sealed');
    const env = freshEnvironment({
      CLOUD_CLI_STORE_URL: `vault+${service.url}/secret/cloud-cli`,
      VAULT_TOKEN: service.root,
    });
    const ran = await cloudCli(['mint', ...flagsOf(requests.aws()), '--json'], env);
    expect(ran.code).toBe(8);
    expect(JSON.parse(ran.stdout).error).toMatchObject({
      code: 'persist_failed',
      outcome: 'not_issued',
      hint: 'Unseal it: vault operator unseal.',
    });
    expect(ran.stdout + ran.stderr).not.toContain(service.root);
  });
});
