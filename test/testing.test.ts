import { describe, expect, it } from 'vitest';
import {
  CredentialKey,
  CredentialResolver,
  openCredentialStore,
  type PersistHook,
  Secret,
} from '../src/index.js';
import { persistSample, sampleCredential } from '../src/testing.js';
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
