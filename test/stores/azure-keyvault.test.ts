/** The store in Azure Key Vault, through the real SDK, on a loopback server with a certificate of its own. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { metadataOf } from '../../src/credential.js';
import { CredentialKey } from '../../src/key.js';
import { openAzureKeyVaultStore } from '../../src/stores/azure-keyvault.js';
import { awsCredential, gcpCredential, opened, persist, storeContract } from './contract.js';
import { remoteSuite } from './remote.js';
import { keyVault } from './services.js';

const key = CredentialKey.parse('idp:aws:prod');

async function start() {
  const server = await keyVault();
  onTestFinished(() => void server.close());
  return server;
}

storeContract('azure-keyvault', async () => {
  const { open, close } = await keyVault();
  return { store: await open(), cleanup: async () => void (await close()) };
});

remoteSuite('azure-keyvault', {
  permission: /"set".*Key Vault Secrets Officer/,
  failing: {
    denied: /denies it \(ForbiddenByRbac, HTTP 403\)/,
    firewall: /denies it \(ForbiddenByFirewall, HTTP 403\)/,
    login: /login \(Unauthorized, HTTP 401\)/,
    throttled: /busy \(Throttled, HTTP 429\)/,
    full: /refused \(BadParameter, HTTP 400\)/,
  },
  too_large: 25_500,
});

describe('a secret', () => {
  it('has its metadata as tags, and the expiry of the credential', async () => {
    const { open, secrets } = await start();
    const credential = gcpCredential(`${key}`);
    await persist(await open(), credential);
    const secret = secrets.get('team-----idp--aws--prod')?.at(-1);
    expect(secret?.tags).toEqual(metadataOf(credential));
    expect(secret?.attributes.exp).toBe(Date.parse(credential.expires_at) / 1000);
  });

  it('tells what it is without its value', async () => {
    const { open, calls } = await start();
    const store = await open();
    await persist(store, gcpCredential(`${key}`));
    const before = calls.length;
    await store.describe(key);
    await store.list();
    expect(new Set(calls.slice(before).map(({ url }) => url.pathname))).toEqual(new Set(['/secrets']));
  });

  it('spreads a long identity over several tags, and leaves none of them behind', async () => {
    const { open, secrets } = await start();
    const store = await open();
    const source_identity = `arn:aws:iam::123456789012:role/${'r'.repeat(500)}`;
    await persist(store, { ...awsCredential(`${key}`), source_identity });
    expect((await store.describe(key))?.source_identity).toBe(source_identity);
    await persist(store, gcpCredential(`${key}`));
    expect(Object.keys(secrets.get('team-----idp--aws--prod')?.at(-1)?.tags ?? {})).toHaveLength(5);
  });

  it('has a name that tells keys apart which differ by a sign, and a hash for a long one', async () => {
    const { open, secrets } = await start();
    const store = await open();
    const keys = ['a:b:c', 'a:b.c', 'a:b-c', 'a:b_c', `a:${'k'.repeat(63)}:${'k'.repeat(63)}`];
    for (const each of keys) await persist(store, gcpCredential(each));
    expect((await store.list()).map(({ credential_key }) => credential_key)).toEqual(keys.toSorted());
    expect(
      [...secrets.keys()].filter((name) => /^team-----sha256------[0-9a-f]{64}$/.test(name)),
    ).toHaveLength(1);
    for (const each of keys) expect((await store.read(CredentialKey.parse(each)))?.credential_key).toBe(each);
  });

  it('is purged when it is removed, and kept again under the same name', async () => {
    const { open, bin } = await start();
    const store = await open();
    await persist(store, gcpCredential(`${key}`));
    expect(await store.remove(key)).toBe(true);
    expect(bin.size).toBe(0);
    await persist(store, gcpCredential(`${key}`));
    expect(await store.list()).toHaveLength(1);
  });

  it('is recovered and replaced where its name is of a deleted one that may not be purged', async () => {
    const { open, bin, vault } = await start();
    vault.purges = false;
    const store = await open();
    await persist(store, awsCredential(`${key}`));
    expect(await store.remove(key)).toBe(true);
    expect([bin.size, await store.read(key), await store.list()]).toEqual([1, undefined, []]);
    const credential = gcpCredential(`${key}`);
    await persist(store, credential);
    expect(opened(await store.read(key))).toEqual(opened(credential));
    expect(await store.describe(key)).toEqual(metadataOf(credential));
  });
});

describe('without a login', () => {
  it('says how to log in, and quotes nothing', async () => {
    const { url, ca } = await start();
    const credential = {
      getToken: async () => {
        throw Object.assign(new Error('hidden'), { name: 'AggregateAuthenticationError' });
      },
    };
    const options = { endpoint: url, credential, ca };
    const store = await openAzureKeyVaultStore('azure-keyvault:my-vault', options);
    const error = await store.ready().catch((error: unknown) => error);
    expect(error).toMatchObject({
      code: 'persist_failed',
      message: "Key Vault my-vault does not accept this host's login",
      hint: expect.stringContaining('az login'),
    });
    expect(JSON.stringify(error)).not.toContain('hidden');
  });

  it('tells of a certificate that this host does not trust', async () => {
    const { url } = await start();
    const credential = { getToken: async () => null };
    const store = await openAzureKeyVaultStore('azure-keyvault:my-vault', { endpoint: url, credential });
    await expect(store.ready()).rejects.toMatchObject({
      message: expect.stringMatching(/certificate .* not trust \(DEPTH_ZERO_SELF_SIGNED_CERT\)/),
      hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
  });
});

describe('its URL', () => {
  const credential = { getToken: async () => null };

  it('may be that of a vault outside the public cloud', async () => {
    for (const url of [
      'azure-keyvault:https://my-vault.vault.usgovcloudapi.net',
      'azure-keyvault:https://my-vault.vault.azure.cn/team',
    ])
      await openAzureKeyVaultStore(url, { credential });
  });

  for (const url of [
    'azure-keyvault:',
    'azure-keyvault:http://my-vault.vault.azure.net',
    'azure-keyvault:my_vault',
    'azure-keyvault:my-vault/Upper',
    'azure-keyvault:my-vault/a/b',
    'azure-keyvault:https://user@my-vault.vault.azure.net',
  ]) {
    it(`is refused as ${url}`, async () => {
      await expect(openAzureKeyVaultStore(url, { credential })).rejects.toMatchObject({
        code: 'invalid_request',
      });
    });
  }
});
