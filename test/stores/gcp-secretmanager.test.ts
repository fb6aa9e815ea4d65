/** The store in Google Cloud Secret Manager, on a loopback server of it and of the metadata server. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { metadataOf } from '../../src/credential.js';
import { CredentialKey } from '../../src/key.js';
import { openGcpSecretManagerStore } from '../../src/stores/gcp-secretmanager.js';
import { temporaryDirectory } from '../support.js';
import { awsCredential, gcpCredential, opened, persist, storeContract } from './contract.js';
import { remoteSuite } from './remote.js';
import { secretManager } from './services.js';

const key = CredentialKey.parse('idp:aws:prod');
const name = 'team-----idp--aws--prod';

async function start() {
  const server = await secretManager();
  onTestFinished(() => void server.close());
  return server;
}

storeContract('gcp-secretmanager', async () => {
  const { open, close } = await secretManager();
  return { store: await open(), cleanup: async () => void (await close()) };
});

remoteSuite('gcp-secretmanager', {
  permission: /secretmanager\.versions\.add/,
  failing: {
    denied: /denies it \(PERMISSION_DENIED, HTTP 403\)/,
    login: /login \(UNAUTHENTICATED, HTTP 401\)/,
    throttled: /busy \(RESOURCE_EXHAUSTED, HTTP 429\)/,
    disabled: /refused \(SERVICE_DISABLED, HTTP 403\)/,
    full: /refused \(INVALID_ARGUMENT, HTTP 400\)/,
  },
  too_large: 66_000,
});

describe('a secret', () => {
  const isCommit = ({ method }: { method: string }) => method === 'PATCH';

  it('has its metadata as annotations, and the alias `current` on the version that they are of', async () => {
    const { open, secrets } = await start();
    const credential = gcpCredential(`${key}`);
    await persist(await open(), credential);
    const secret = secrets.get(name);
    expect(secret).toMatchObject({ annotations: metadataOf(credential), versionAliases: { current: '1' } });
  });

  it('tells what it is without its payload', async () => {
    const { open, calls } = await start();
    const store = await open();
    await persist(store, gcpCredential(`${key}`));
    await store.describe(key);
    await store.list();
    expect(calls.filter(({ url }) => url.pathname.endsWith(':access'))).toEqual([]);
  });

  for (const word of ['denied', 'broken', 'cut', 'garbage']) {
    it(`keeps the old credential and its metadata where the commit is ${word}`, async () => {
      const { open, be } = await start();
      const store = await open();
      const old = awsCredential(`${key}`);
      await persist(store, old);
      be(word, { only: isCommit });
      await expect(persist(store, gcpCredential(`${key}`))).rejects.toMatchObject({ code: 'persist_failed' });
      be('well');
      expect(opened(await store.read(key))).toEqual(opened(old));
      expect(await store.describe(key)).toEqual(metadataOf(old));
    });

    it(`is not there where its first commit is ${word}`, async () => {
      const { open, be } = await start();
      const store = await open();
      be(word, { only: isCommit });
      await expect(persist(store, gcpCredential(`${key}`))).rejects.toMatchObject({ code: 'persist_failed' });
      be('well');
      expect(await store.read(key)).toBeUndefined();
      expect(await store.describe(key)).toBeUndefined();
      expect(await store.list()).toEqual([]);
    });
  }

  it('is committed once, though the answer was lost', async () => {
    const { open, be } = await start();
    const store = await open();
    await persist(store, awsCredential(`${key}`));
    be('lost', { times: 2, only: isCommit });
    const credential = gcpCredential(`${key}`);
    await persist(store, credential);
    expect(opened(await store.read(key))).toEqual(opened(credential));
    expect(await store.describe(key)).toEqual(metadataOf(credential));
  });

  it('keeps the last version but one for readers behind a cache, and destroys what is older', async () => {
    const { open, secrets, be } = await start();
    const store = await open();
    for (let round = 0; round < 3; round += 1) await persist(store, awsCredential(`${key}`));
    be('denied', { times: 1, only: isCommit });
    await expect(persist(store, awsCredential(`${key}`))).rejects.toMatchObject({ code: 'persist_failed' });
    await persist(store, awsCredential(`${key}`));
    await persist(store, awsCredential(`${key}`));
    const states = secrets.get(name)?.versions.map(({ state }) => state);
    expect(states).toEqual([...Array(4).fill('DESTROYED'), 'ENABLED', 'ENABLED']);
  });

  it('is kept where the older versions cannot be destroyed', async () => {
    const { open, be } = await start();
    const store = await open();
    await persist(store, awsCredential(`${key}`));
    be('denied', { only: ({ url }) => /versions$|:destroy$/.test(url.pathname) });
    const credential = gcpCredential(`${key}`);
    await persist(store, credential);
    expect(opened(await store.read(key))).toEqual(opened(credential));
  });

  it('of another prefix, or of nobody, is neither listed nor removed', async () => {
    const { open, url, secrets } = await start();
    const other = await openGcpSecretManagerStore('gcp-secretmanager:my-project', { endpoint: url });
    const longer = await openGcpSecretManagerStore('gcp-secretmanager:my-project/team-b', { endpoint: url });
    for (const each of [other, longer]) await persist(each, gcpCredential(`${key}`));
    secrets.set(name, { annotations: {}, versionAliases: {}, etag: 'x', versions: [] });
    const store = await open();
    expect(await store.list()).toEqual([]);
    expect(await store.remove(key)).toBe(false);
    expect((await other.list()).length + (await longer.list()).length).toBe(2);
    expect(secrets.has(name)).toBe(true);
  });
});

describe('without a login', () => {
  it('says how to log in, and quotes nothing', async () => {
    const { open, url } = await start();
    process.env.GCE_METADATA_HOST = '127.0.0.1:1';
    const file = join(temporaryDirectory(), 'key.json');
    for (const [text, words] of [
      ['{"type":"service_account","private_key":"hidden"}', /does not accept this host's login/],
      ['hidden', /does not accept this host's login/],
    ] as const) {
      writeFileSync(file, text);
      process.env.GOOGLE_APPLICATION_CREDENTIALS = file;
      const error = await (await open()).ready().catch((error: unknown) => error);
      expect(error).toMatchObject({ code: 'persist_failed', message: expect.stringMatching(words) });
      expect(JSON.stringify(error)).not.toContain('hidden');
    }
    delete process.env.GOOGLE_APPLICATION_CREDENTIALS;
    expect(url).toContain('127.0.0.1');
  });
});

describe('its login', () => {
  it('starts no process, gcloud least of all', async () => {
    const directory = temporaryDirectory();
    const script = join(directory, 'gcloud');
    writeFileSync(script, `#!/bin/sh\ntouch ${directory}/started\n`, { mode: 0o755 });
    const { PATH } = process.env;
    process.env.PATH = `${directory}:${PATH}`;
    onTestFinished(() => void Object.assign(process.env, { PATH }));
    const { open } = await start();
    await (await open()).ready();
    expect(existsSync(join(directory, 'started'))).toBe(false);
  });
});

describe('its URL', () => {
  for (const url of [
    'gcp-secretmanager:',
    'gcp-secretmanager:UPPER',
    'gcp-secretmanager:my-project/Upper',
    'gcp-secretmanager:my-project/two--dashes',
    'gcp-secretmanager:my-project/a/b',
    'gcp-secretmanager:my-project?x=y',
  ]) {
    it(`is refused as ${url}`, async () => {
      await expect(openGcpSecretManagerStore(url)).rejects.toMatchObject({ code: 'invalid_request' });
    });
  }
});
