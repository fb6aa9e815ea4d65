/** What every credential store promises, as checks that any test runner can run. */
import assert from 'node:assert/strict';
import {
  type Credential,
  type CredentialStore,
  metadataOf,
  type PersistHook,
  serializeCredential,
} from './credential.js';
import { isCloudCliError } from './errors.js';
import { CredentialKey } from './key.js';
import { sampleCredential } from './sample.js';
import { Secret } from './secret.js';

/** A store that can write. */
export type WritableStore = CredentialStore & { readonly persist: PersistHook };

/** One promise of a store, as a test. */
export interface StoreCheck {
  /** What the store does, as a test's name. */
  name: string;
  /** Rejects where it does not. */
  run(): Promise<void>;
}

const key = CredentialKey.parse('idp:aws:prod');

/**
 * The checks that hold for every store.
 * @param open - gives an empty store; each check opens its own, and closes it
 */
export function storeContract(open: () => Promise<WritableStore>): StoreCheck[] {
  return Object.entries(promises).map(([name, holds]) => ({
    name,
    run: async () => {
      const store = await open();
      try {
        await holds(store);
      } finally {
        await store.close();
      }
    },
  }));
}

const promises: Readonly<Record<string, (store: WritableStore) => Promise<void>>> = {
  'is empty at first': async (store) => {
    assert.equal(await store.read(key), undefined);
    assert.equal(await store.describe(key), undefined);
    assert.deepEqual(await store.list(), []);
    assert.equal(await store.remove(key), false);
  },

  'keeps, describes, lists and removes a credential': async (store) => {
    const credential = sample(`${key}`);
    await persist(store, credential);
    assert.deepEqual(opened(await store.read(key)), opened(credential));
    assert.deepEqual(await store.describe(key), metadataOf(credential));
    assert.deepEqual(await store.list(), [metadataOf(credential)]);
    assert.equal(await store.remove(key), true);
    assert.equal(await store.remove(key), false);
    assert.equal(await store.read(key), undefined);
    assert.deepEqual(await store.list(), []);
  },

  'gives the parts of a credential as Secrets': async (store) => {
    const credential = sample(`${key}`);
    await persist(store, credential);
    const read = Object.entries((await store.read(key)) ?? {});
    const parts = read.filter(([name]) => !Object.hasOwn(metadataOf(credential), name));
    assert.deepEqual(
      parts.map(([name, value]) => [name, value instanceof Secret]),
      parts.map(([name]) => [name, true]),
    );
    assert.notEqual(parts.length, 0);
  },

  'shows no secret in what it describes and lists': async (store) => {
    const credential = sample(`${key}`);
    await persist(store, credential);
    const shown = JSON.stringify([await store.describe(key), await store.list()]);
    for (const value of Object.values(credential))
      if (value instanceof Secret) assert.equal(value.scrub(shown), shown);
  },

  'replaces a credential whole, also by one of another provider': async (store) => {
    await persist(store, sample(`${key}`));
    const second = sample(`${key}`, 'azure');
    await persist(store, second);
    assert.deepEqual(opened(await store.read(key)), opened(second));
    assert.deepEqual(await store.list(), [metadataOf(second)]);
  },

  'keeps an expired credential and gives it back': async (store) => {
    const expired = sampleCredential({ credential_key: `${key}`, lifetime_seconds: -100_000 });
    await persist(store, expired);
    assert.deepEqual(opened(await store.read(key)), opened(expired));
  },

  'lists by key, and tells keys apart that begin alike': async (store) => {
    const keys = ['idp:aws:prod', 'idp:aws', 'idp:aws:prod-2', 'db:aws', 'idp:aws.eu', 'idp:aws:prod:x'];
    const credentials = keys.map((each) => sample(each, 'gcp'));
    for (const credential of credentials) await persist(store, credential);
    const listed = (await store.list()).map(({ credential_key }) => credential_key);
    assert.deepEqual(listed, keys.toSorted());
    for (const credential of credentials) {
      const read = await store.read(CredentialKey.parse(credential.credential_key));
      assert.deepEqual(opened(read), opened(credential));
    }
  },

  'keeps a credential under the longest key': async (store) => {
    const longest = [...Array(3).fill('k'.repeat(63)), 'x'.repeat(8)].join(':');
    const credential = sample(longest);
    await persist(store, credential);
    assert.deepEqual(opened(await store.read(CredentialKey.parse(longest))), opened(credential));
    assert.deepEqual(await store.list(), [metadataOf(credential)]);
  },

  'is left with one whole credential by two persists at once': async (store) => {
    const credentials = [sample(`${key}`), sample(`${key}`, 'gcp')];
    await Promise.all(credentials.map((credential) => persist(store, credential)));
    const read = await store.read(key);
    assert.ok(credentials.map(opened).includes(opened(read)));
    assert.deepEqual(await store.describe(key), read && metadataOf(read));
  },

  'refuses a credential that is for another key': async (store) => {
    await refused(hand(store, key, sample('idp:gcp:prod')));
    assert.deepEqual(await store.list(), []);
  },

  'keeps what it held when the signal has aborted': async (store) => {
    const old = sample(`${key}`);
    await persist(store, old);
    await refused(hand(store, key, sample(`${key}`, 'gcp'), AbortSignal.abort()));
    assert.deepEqual(opened(await store.read(key)), opened(old));
  },

  'has methods that work by themselves': async ({ persist, read, describe, list, remove }) => {
    const credential = sample(`${key}`);
    await hand({ persist }, key, credential);
    assert.deepEqual(opened(await read(key)), opened(credential));
    assert.deepEqual(await describe(key), metadataOf(credential));
    assert.equal((await list()).length, 1);
    assert.equal(await remove(key), true);
  },
};

function sample(credential_key: string, provider = 'aws'): Credential {
  return sampleCredential({ provider, credential_key });
}

function persist(store: WritableStore, credential: Credential): Promise<void> {
  return hand(store, CredentialKey.parse(credential.credential_key), credential);
}

async function hand(
  { persist }: { persist: PersistHook },
  to: CredentialKey,
  credential: Credential,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  await persist(to, credential, { run_id: credential.audit_run_id, signal });
}

/** A credential with its secrets in the clear, which are those of a sample: two Secrets look equal to an assertion. */
function opened(credential: Credential | undefined): string | undefined {
  if (!credential) return undefined;
  const members = Object.entries(JSON.parse(serializeCredential(credential)) as object);
  return JSON.stringify(members.sort(([left], [right]) => (left < right ? -1 : 1)));
}

async function refused(persisting: Promise<void>): Promise<void> {
  await assert.rejects(persisting, (error) => isCloudCliError(error) && error.code === 'persist_failed');
}
