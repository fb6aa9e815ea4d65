import { describe, expect, it } from 'vitest';
import { memoryStore } from '../examples/store/memory.js';
import {
  CredentialKey,
  CredentialResolver,
  openCredentialStore,
  type PersistHook,
  Secret,
} from '../src/index.js';
import { persistSample, sampleCredential, storeContract, type WritableStore } from '../src/testing.js';
import { providers, temporaryDirectory } from './support.js';

describe('the testing entry point', () => {
  it.each(providers)('makes %s credentials that a store keeps and a resolver finds', async (provider) => {
    const store = await openCredentialStore(`file:${temporaryDirectory()}`);
    const sample = sampleCredential({ provider });
    await persistSample(store.persist!, sample);
    const found = await new CredentialResolver([store]).resolve(
      new CredentialKey('idp', `${provider}:sample`),
    );
    const open = (credential: object) =>
      Object.entries(credential).map(([name, value]) => [
        name,
        value instanceof Secret ? value.reveal() : value,
      ]);
    expect(Object.fromEntries(open(found))).toEqual(Object.fromEntries(open(sample)));
  });

  it('makes an expired one', async () => {
    const store = await openCredentialStore(`file:${temporaryDirectory()}`);
    await persistSample(store.persist!, sampleCredential({ lifetime_seconds: -1 }));
    await expect(
      new CredentialResolver([store]).resolve(new CredentialKey('idp', 'aws:sample')),
    ).rejects.toMatchObject({ code: 'expired' });
  });

  it('fails as a mint does, and quotes nothing of the hook’s error', async () => {
    const broken: PersistHook = (_key, credential) => {
      throw new Error(
        Object.values(credential)
          .map((value) => (value instanceof Secret ? value.reveal() : value))
          .join(),
      );
    };
    await expect(persistSample(broken)).rejects.toMatchObject({
      code: 'persist_failed',
      message: 'the persist hook threw (Error)',
    });
    expect(() => sampleCredential({ provider: 'nope' })).toThrow('there is no provider nope');
  });
});

describe('the store contract', () => {
  it.each(storeContract(async () => memoryStore()))('is kept by the example: it $name', ({ run }) => run());

  /** What fails of the contract where a store is broken so. */
  async function failing(broken: (store: WritableStore) => Partial<WritableStore>): Promise<string[]> {
    const failed: string[] = [];
    const open = async () => {
      const store = memoryStore();
      return { ...store, ...broken(store) };
    };
    for (const { name, run } of storeContract(open)) await run().catch(() => failed.push(name));
    return failed;
  }

  it('finds a store that forgets, one that shows, one that mixes keys up and one that hides what expired', async () => {
    expect(await failing(() => ({ persist: () => {} }))).toContain(
      'keeps, describes, lists and removes a credential',
    );
    expect(await failing(({ read }) => ({ describe: read }))).toContain(
      'keeps, describes, lists and removes a credential',
    );
    expect(await failing(({ list }) => ({ list: async () => (await list()).toReversed() }))).toEqual([
      'lists by key, and tells keys apart that begin alike',
    ]);
    const living: (store: WritableStore) => Partial<WritableStore> = ({ read }) => ({
      read: async (key) => {
        const credential = await read(key);
        return credential && Date.parse(credential.expires_at) > Date.now() ? credential : undefined;
      },
    });
    expect(await failing(living)).toEqual(['keeps an expired credential and gives it back']);
    const deaf: (store: WritableStore) => Partial<WritableStore> = ({ persist }) => ({
      persist: (key, credential, { run_id }) =>
        persist(key, credential, { run_id, signal: new AbortController().signal }),
    });
    expect(await failing(deaf)).toEqual(['keeps what it held when the signal has aborted']);
  });
});
