/** The store in Vault and OpenBao, on a loopback server of KV version 2. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { metadataOf } from '../../src/credential.js';
import { CredentialKey } from '../../src/key.js';
import { openVaultStore } from '../../src/stores/vault.js';
import { until } from '../support.js';
import { awsCredential, gcpCredential, opened, persist, storeContract } from './contract.js';
import { remoteSuite } from './remote.js';
import { vault } from './services.js';

const key = CredentialKey.parse('idp:aws:prod');
const place = 'cloud-cli/idp/aws/prod';

async function start(options?: Parameters<typeof vault>[0]) {
  const server = await vault(options);
  onTestFinished(() => void server.close());
  return server;
}

storeContract('vault', async () => {
  const { open, close } = await vault();
  return { store: await open(), cleanup: async () => void (await close()) };
});

remoteSuite('vault', {
  permission: /create and update on secret\/data\/cloud-cli\/idp\/aws\/prod/,
  failing: {
    denied: /denies it \(HTTP 403\)/,
    throttled: /busy \(HTTP 429\)/,
    standby: /busy \(HTTP 473\)/,
    sealed: /busy \(HTTP 503\)/,
    elsewhere: /refused \(HTTP 307\)/,
    full: /takes no more \(HTTP 413\)/,
  },
  too_large: 600_000,
});

describe('a secret in KV', () => {
  it('has the parts of the credential as its fields', async () => {
    const { open, secrets } = await start();
    const credential = awsCredential(`${key}`);
    await persist(await open(), credential);
    expect(secrets.get(place)?.at(-1)?.data).toMatchObject(opened(credential) as object);
  });

  it('tells its metadata by the names of its fields: describe and list read no value', async () => {
    const { open, calls } = await start();
    const store = await open();
    const credential = awsCredential(`${key}`);
    await persist(store, credential);
    const before = calls.length;
    expect(await store.describe(key)).toEqual(metadataOf(credential));
    expect(await store.list()).toEqual([metadataOf(credential)]);
    const paths = calls.slice(before).map(({ url }) => url.pathname.split('/')[3]);
    expect(new Set(paths)).toEqual(new Set(['subkeys', 'metadata']));
  });

  it('is written by check-and-set: what another wrote in between stays as a version', async () => {
    const { open, secrets, be, calls } = await start();
    const [one, other] = [await open(), await open()];
    await persist(one, gcpCredential(`${key}`));
    const isWrite = ({ method, url }: { method: string; url: URL }) =>
      method === 'POST' && url.pathname.includes('/data/');
    // The first try is held until another persist has come through.
    be('hanging', { times: 1, only: isWrite });
    const slow = await open({ call_seconds: 2 });
    const [mine, theirs] = [gcpCredential(`${key}`), gcpCredential(`${key}`)];
    const writes = () => calls.filter(isWrite).length;
    const before = writes();
    const running = persist(slow, mine);
    await until(() => writes() > before);
    await persist(other, theirs);
    await running;
    const runs = secrets.get(place)?.map(({ data }) => data?.audit_run_id);
    expect(runs?.slice(1)).toEqual([theirs.audit_run_id, mine.audit_run_id]);
  });

  it('is written once, though the answer was lost and another wrote since', async () => {
    const { open, secrets, be } = await start();
    const mine = gcpCredential(`${key}`);
    be('lost', { times: 3, only: ({ method, url }) => method === 'POST' && url.pathname.includes('/data/') });
    await persist(await open(), mine);
    expect(secrets.get(place)).toHaveLength(1);
  });

  it('that was deleted is not there, and is written again', async () => {
    const { open, secrets } = await start();
    const store = await open();
    await persist(store, gcpCredential(`${key}`));
    secrets.get(place)!.at(-1)!.deleted = true;
    expect(await store.read(key)).toBeUndefined();
    expect(await store.describe(key)).toBeUndefined();
    expect(await store.list()).toEqual([]);
    const credential = gcpCredential(`${key}`);
    await persist(store, credential);
    expect(opened(await store.read(key))).toEqual(opened(credential));
  });

  it('of another is neither listed nor removed', async () => {
    const { open, secrets } = await start();
    const store = await open();
    for (const path of [place, 'cloud-cli/Notes', 'cloud-cli/idp/a/b/c/d/e/f/g/h/i'])
      secrets.set(path, [{ data: { password: 'x' }, deleted: false }]);
    expect(await store.list()).toEqual([]);
    expect(await store.remove(key)).toBe(false);
    expect(secrets.has(place)).toBe(true);
  });

  it('is kept in a namespace, and below a mount of several segments', async () => {
    const { url, root, secrets } = await start({ namespace: 'team-a', mount: 'team/kv' });
    const env = { VAULT_TOKEN: root, VAULT_NAMESPACE: 'team-a' };
    const store = await openVaultStore(`vault+${url}/team%2Fkv`, { env });
    await store.ready();
    await persist(store, gcpCredential(`${key}`));
    expect([...secrets.keys()]).toEqual(['idp/aws/prod']);
    const elsewhere = await openVaultStore(`vault+${url}/team%2Fkv`, { env: { VAULT_TOKEN: root } });
    await expect(elsewhere.ready()).rejects.toMatchObject({ code: 'persist_failed' });
  });
});

describe('ready', () => {
  it('finds a mount that is missing or of version 1', async () => {
    const { url, root } = await start();
    for (const [mount, words] of [
      ['missing', /denies it \(HTTP 403\)/],
      ['legacy', /has no KV version 2 at legacy/],
    ] as const) {
      const store = await openVaultStore(`vault+${url}/${mount}`, { env: { VAULT_TOKEN: root } });
      await expect(store.ready()).rejects.toMatchObject({
        code: 'persist_failed',
        message: expect.stringMatching(words),
      });
    }
  });

  it('is not needed to find a Vault without subkeys: the first call says so', async () => {
    const { open, be } = await start();
    const store = await open();
    be('old', { only: ({ url }) => url.pathname.includes('/subkeys/') });
    for (const work of [() => persist(store, gcpCredential(`${key}`)), () => store.describe(key)])
      await expect(work()).rejects.toMatchObject({
        hint: expect.stringMatching(/Vault must be 1\.10 or later/),
      });
  });

  it('names what a sealed Vault and a standby need', async () => {
    const { open, be } = await start();
    const store = await open();
    be('sealed');
    await expect(store.ready()).rejects.toMatchObject({ hint: 'Unseal it: vault operator unseal.' });
    be('elsewhere');
    await expect(store.ready()).rejects.toMatchObject({ hint: expect.stringMatching(/active node/) });
  });
});

describe('its login', () => {
  /** The lease is of an hour. */
  const pass = (seconds: number) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 });
    onTestFinished(() => void vi.useRealTimers());
  };
  const logins = (calls: { url: URL }[]) => calls.filter(({ url }) => /\/login$/.test(url.pathname)).length;

  it('is by AppRole, once, and the token is revoked when the store is closed', async () => {
    const { openAs, login, calls, tokens } = await start();
    const store = await openAs({ VAULT_ROLE_ID: login.role_id, VAULT_SECRET_ID: login.secret_id });
    await persist(store, gcpCredential(`${key}`));
    await store.list();
    expect([logins(calls), tokens.size]).toEqual([1, 1]);
    await store.close();
    expect(tokens.size).toBe(0);
  });

  it('is by a Kubernetes service account, whose file is read for each login', async () => {
    const { openAs, login } = await start();
    const directory = mkdtempSync(join(tmpdir(), 'cloud-cli-k8s-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'token');
    const store = await openAs({ VAULT_K8S_ROLE: login.role, VAULT_K8S_TOKEN_FILE: file });
    await expect(store.ready()).rejects.toMatchObject({
      code: 'persist_failed',
      message: expect.stringContaining(`${file} cannot be read (ENOENT)`),
    });
    writeFileSync(file, `${login.jwt}\n`);
    await store.ready();
  });

  it('is by ~/.vault-token where no variable says otherwise', async () => {
    const { openAs, root } = await start();
    const HOME = mkdtempSync(join(tmpdir(), 'cloud-cli-home-'));
    onTestFinished(() => rmSync(HOME, { recursive: true }));
    const store = await openAs({ HOME });
    await expect(store.ready()).rejects.toMatchObject({ hint: expect.stringContaining('vault login') });
    writeFileSync(join(HOME, '.vault-token'), root);
    await store.ready();
  });

  it('that is refused says what to check, and quotes nothing', async () => {
    const { openAs, login, root } = await start();
    for (const env of [
      { VAULT_ROLE_ID: login.role_id, VAULT_SECRET_ID: root },
      { VAULT_ROLE_ID: login.role_id, VAULT_SECRET_ID: login.secret_id, VAULT_AUTH_MOUNT: 'elsewhere' },
    ]) {
      const error = await (await openAs(env)).ready().catch((error: unknown) => error);
      expect(error).toMatchObject({
        code: 'persist_failed',
        message: expect.stringMatching(/does not accept this host's login \(HTTP 400\)/),
        hint: expect.stringContaining('VAULT_SECRET_ID'),
      });
      for (const secret of [root, login.secret_id]) expect(JSON.stringify(error)).not.toContain(secret);
    }
  });

  it('is renewed before it runs out', async () => {
    const { openAs, login, calls } = await start();
    const store = await openAs({ VAULT_ROLE_ID: login.role_id, VAULT_SECRET_ID: login.secret_id });
    await store.list();
    pass(3000);
    await store.list();
    const renewals = calls.filter(({ url }) => url.pathname === '/v1/auth/token/renew-self');
    expect([logins(calls), renewals.length]).toEqual([1, 1]);
  });

  it('is done again where it cannot be renewed, has run out, or was revoked', async () => {
    const { openAs, login, calls, tokens } = await start({ renewable: false });
    const store = await openAs({ VAULT_ROLE_ID: login.role_id, VAULT_SECRET_ID: login.secret_id });
    await store.list();
    pass(3000);
    await store.list();
    expect(logins(calls)).toBe(2);
    tokens.clear();
    await persist(store, gcpCredential(`${key}`));
    expect(logins(calls)).toBe(3);
  });

  it('is not done twice where its answer was lost: a secret id may be good for one', async () => {
    const { openAs, login, calls, be } = await start();
    const store = await openAs({ VAULT_ROLE_ID: login.role_id, VAULT_SECRET_ID: login.secret_id });
    be('lost', { only: ({ url }) => /\/login$/.test(url.pathname) });
    await expect(store.list()).rejects.toMatchObject({ code: 'invalid_request' });
    expect(logins(calls)).toBe(1);
  });
});

describe('its URL', () => {
  for (const url of [
    'vault+https://',
    'vault+https://vault.example',
    'vault+https://vault.example/',
    'vault+http://vault.example/secret',
    'vault+https://user:word@vault.example/secret',
    'vault+https://vault.example/secret?token=hidden',
    'vault+https://vault.example/secret#hidden',
    'vault+https://vault.example/secret//twice',
    'vault+https://vault.example/secret/with%20blank',
    'vault+ftp://vault.example/secret',
  ]) {
    it(`is refused as ${url}, without being quoted`, async () => {
      const error = await openVaultStore(url, { env: {} }).catch((error: unknown) => error);
      expect(error).toMatchObject({ code: 'invalid_request' });
      expect(JSON.stringify(error)).not.toMatch(/hidden|word@/);
    });
  }
});
