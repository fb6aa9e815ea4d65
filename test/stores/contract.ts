/** What every credential store promises: one suite, which each store's test runs on a store of its own. */
import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
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
import { storeContract as checks } from '../../src/testing.js';

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

/** Runs the exported contract, and it again with credentials of real sizes; `open` gives an empty store for each test, and `cleanup` removes it. */
export function storeContract(
  name: string,
  open: () => Promise<{ store: Store; cleanup: () => Promise<void> }>,
): void {
  describe(`the store contract: ${name}`, () => {
    let cleanup: () => Promise<void>;
    const opening = async (): Promise<Store> => {
      const opened = await open();
      ({ cleanup } = opened);
      return opened.store;
    };
    afterEach(() => cleanup());

    for (const { name: promise, run } of checks(opening)) it(promise, run);

    for (const make of [awsCredential, gcpCredential, azureCredential]) {
      const credential = make('idp:some:prod');
      it(`keeps, describes, lists and removes a credential of ${credential.provider}`, async () => {
        const store = await opening();
        const key = CredentialKey.parse('idp:some:prod');
        await persist(store, credential);
        expect(opened(await store.read(key))).toEqual(opened(credential));
        expect(await store.describe(key)).toEqual(metadataOf(credential));
        expect(await store.list()).toEqual([metadataOf(credential)]);
        expect(await store.remove(key)).toBe(true);
        expect(await store.remove(key)).toBe(false);
        expect(await store.read(key)).toBeUndefined();
        expect(await store.list()).toEqual([]);
        await store.close();
      });
    }
  });
}
