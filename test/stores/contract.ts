/** What every credential store promises: one suite, which each store's test runs on a store of its own. */
import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type AwsCredential,
  type AzureCredential,
  type Credential,
  type CredentialStore,
  type GcpCredential,
  metadataOf,
  serializeCredential,
} from '../../src/credential.js';
import { CredentialKey } from '../../src/key.js';
import { Secret } from '../../src/secret.js';

type Store = Required<CredentialStore>;

/** Secrets have the shape of the vendors' only here, at run time: the repository holds nothing that looks like one. */
function secret(prefix = '', bytes = 300): Secret {
  return new Secret(prefix + randomBytes(bytes).toString('base64url'));
}

/** A fresh AWS credential for `key`. */
export function awsCredential(key: string): AwsCredential {
  return {
    ...metadata('aws', key, 'arn:aws:iam::123456789012:role/deploy'),
    access_key_id: secret('ASIA', 12),
    secret_access_key: secret('', 30),
    session_token: secret('', 700),
  };
}

/** A fresh GCP credential for `key`. */
export function gcpCredential(key: string): GcpCredential {
  const credential = metadata('gcp', key, 'deploy@example-project.iam.gserviceaccount.com');
  return { ...credential, access_token: secret('ya29.') };
}

/** A fresh Azure credential for `key`. */
export function azureCredential(key: string): AzureCredential {
  return { ...metadata('azure', key, randomUUID()), access_token: secret('', 1200) };
}

function metadata<P extends string>(provider: P, key: string, source_identity: string) {
  const expires_at = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_600_000).toISOString();
  return { provider, credential_key: key, expires_at, source_identity, audit_run_id: randomUUID() };
}

/** A credential with its secrets in the clear: Vitest finds any two Secrets equal. */
export function opened(credential: Credential | undefined): unknown {
  return credential && JSON.parse(serializeCredential(credential));
}

/** The secret values of a credential. */
export function secretsOf(credential: Credential): string[] {
  return Object.values(credential).flatMap((value) => (value instanceof Secret ? [value.reveal()] : []));
}

/** Persists `credential` under its own key. */
export async function persist(
  store: Store,
  credential: Credential,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const key = CredentialKey.parse(credential.credential_key);
  await store.persist(key, credential, { run_id: credential.audit_run_id, signal });
}

/** Runs the suite; `open` gives an empty store for each test, and `cleanup` removes it. */
export function storeContract(
  name: string,
  open: () => Promise<{ store: Store; cleanup: () => Promise<void> }>,
): void {
  describe(`the store contract: ${name}`, () => {
    let store: Store;
    let cleanup: () => Promise<void>;
    const key = CredentialKey.parse('idp:aws:prod');
    const signal = new AbortController().signal;

    beforeEach(async () => {
      ({ store, cleanup } = await open());
    });

    afterEach(async () => {
      await store.close();
      await cleanup();
    });

    it('is empty at first', async () => {
      expect(await store.read(key)).toBeUndefined();
      expect(await store.describe(key)).toBeUndefined();
      expect(await store.list()).toEqual([]);
      expect(await store.remove(key)).toBe(false);
    });

    for (const make of [awsCredential, gcpCredential, azureCredential]) {
      const credential = make('idp:some:prod');
      it(`keeps, describes, lists and removes a credential of ${credential.provider}`, async () => {
        const key = CredentialKey.parse('idp:some:prod');
        await persist(store, credential);
        expect(opened(await store.read(key))).toEqual(opened(credential));
        expect(await store.describe(key)).toEqual(metadataOf(credential));
        expect(await store.list()).toEqual([metadataOf(credential)]);
        expect(await store.remove(key)).toBe(true);
        expect(await store.remove(key)).toBe(false);
        expect(await store.read(key)).toBeUndefined();
        expect(await store.list()).toEqual([]);
      });
    }

    it('gives the parts of a credential as Secrets', async () => {
      await persist(store, awsCredential(`${key}`));
      const credential = (await store.read(key)) as AwsCredential;
      expect(credential.session_token).toBeInstanceOf(Secret);
      expect(JSON.stringify(credential)).toContain('"session_token":"****"');
    });

    it('shows no secret in what it describes and lists', async () => {
      const credential = awsCredential(`${key}`);
      await persist(store, credential);
      const shown = JSON.stringify([await store.describe(key), await store.list()]);
      for (const secret of secretsOf(credential)) expect(shown).not.toContain(secret);
    });

    it('replaces a credential whole, also by one of another provider', async () => {
      await persist(store, awsCredential(`${key}`));
      const second = azureCredential(`${key}`);
      await persist(store, second);
      expect(opened(await store.read(key))).toEqual(opened(second));
      expect(await store.list()).toEqual([metadataOf(second)]);
    });

    it('keeps an expired credential and gives it back', async () => {
      const expired = { ...gcpCredential(`${key}`), expires_at: '2020-01-01T00:00:00Z' };
      await persist(store, expired);
      expect(opened(await store.read(key))).toEqual(opened(expired));
    });

    it('lists by key, and tells keys apart that begin alike', async () => {
      const keys = ['idp:aws:prod', 'idp:aws', 'idp:aws:prod-2', 'db:aws', 'idp:aws.eu', 'idp:aws:prod:x'];
      const credentials = keys.map(gcpCredential);
      for (const credential of credentials) await persist(store, credential);
      expect((await store.list()).map((each) => each.credential_key)).toEqual(keys.toSorted());
      for (const credential of credentials) {
        const read = await store.read(CredentialKey.parse(credential.credential_key));
        expect(opened(read)).toEqual(opened(credential));
      }
    });

    it('keeps a credential under the longest key', async () => {
      const longest = [...Array(3).fill('k'.repeat(63)), 'x'.repeat(8)].join(':');
      expect(longest).toHaveLength(200);
      const credential = gcpCredential(longest);
      await persist(store, credential);
      expect(opened(await store.read(CredentialKey.parse(longest)))).toEqual(opened(credential));
      expect(await store.list()).toEqual([metadataOf(credential)]);
    });

    it('is left with one whole credential by two persists at once', async () => {
      const credentials = [awsCredential(`${key}`), gcpCredential(`${key}`)];
      await Promise.all(credentials.map((credential) => persist(store, credential)));
      const read = await store.read(key);
      expect(credentials.map(opened)).toContainEqual(opened(read));
      expect(await store.describe(key)).toEqual(metadataOf(read!));
    });

    it('refuses a credential that is for another key', async () => {
      await expect(
        store.persist(key, gcpCredential('idp:gcp:prod'), { run_id: randomUUID(), signal }),
      ).rejects.toMatchObject({ code: 'persist_failed' });
      expect(await store.list()).toEqual([]);
    });

    it('keeps what it held when the signal has aborted', async () => {
      const old = awsCredential(`${key}`);
      await persist(store, old);
      await expect(persist(store, gcpCredential(`${key}`), AbortSignal.abort())).rejects.toMatchObject({
        code: 'persist_failed',
      });
      expect(opened(await store.read(key))).toEqual(opened(old));
    });

    it('has methods that work by themselves', async () => {
      const { persist, read, describe, list, remove } = store;
      const credential = gcpCredential(`${key}`);
      await persist(key, credential, { run_id: randomUUID(), signal });
      expect(opened(await read(key))).toEqual(opened(credential));
      expect(await describe(key)).toEqual(metadataOf(credential));
      expect(await list()).toHaveLength(1);
      expect(await remove(key)).toBe(true);
    });
  });
}
