/** A host that mints into a real store, and resolves for an SDK that talks to loopback. */
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import {
  type Credential,
  CredentialKey,
  CredentialResolver,
  mint,
  openAuditStore,
  openCredentialStore,
} from '../../src/index.js';
import { newRunId } from '../../src/run-id.js';
import type { Resolver } from '../../src/sdk/of-provider.js';
import { persistSample, sampleCredential } from '../../src/testing.js';
import { fixturePath, type Provider, providers, requests, temporaryDirectory } from '../support.js';

const canary = 'CanaryOfTheSdks';

export async function newHost() {
  const home = temporaryDirectory();
  const audit = await openAuditStore(`sqlite:${join(home, 'audit.sqlite')}`);
  onTestFinished(() => audit.close());
  const store = await openCredentialStore(`file:${join(home, 'credentials')}`);
  const resolver = new CredentialResolver([store]);
  const resolved = (provider: Provider) => resolver.resolve(new CredentialKey('idp', `${provider}:prod`));
  return {
    store,
    resolver,
    /** Mints by the stand-in, and gives what a host resolves then. */
    mint: async (provider: Provider, seconds: number, more: NodeJS.ProcessEnv = {}): Promise<Credential> => {
      const env = { PATH: fixturePath, HOME: home, FIXTURE_LIFETIME_SECONDS: String(seconds), ...more };
      // gcloud names no expiry, so that what was asked for counts.
      const asked = provider === 'gcp' ? { lifetime_seconds: seconds } : {};
      await mint({ ...requests[provider](), ...asked }, { audit, persist: store.persist, env });
      return resolved(provider);
    },
  };
}

/** Resolves as `resolver` does, and counts. */
export function counting(resolver: Resolver) {
  const counted = {
    calls: 0,
    resolve: (...args: Parameters<Resolver['resolve']>) => {
      counted.calls += 1;
      return resolver.resolve(...args);
    },
  };
  return counted;
}

/** Holds what an SDK hands on when an adapter for `provider` has nothing for it; `use` calls the SDK with the key. */
export async function expectRefusals(
  provider: Provider,
  use: (resolver: Resolver, key: CredentialKey | string) => Promise<unknown>,
): Promise<void> {
  const host = await newHost();
  const failure = async (key: CredentialKey | string) => {
    const error = await use(host.resolver, key).then(
      () => new Error('it did not fail'),
      (thrown) => thrown,
    );
    expect(`${error.message} ${error.hint} ${error.stack} ${JSON.stringify(error)}`).not.toContain(canary);
    expect(error.cause).toBeUndefined();
    return error;
  };
  for (const other of providers.filter((name) => name !== provider)) {
    await host.mint(other, 3600, { FIXTURE_CANARY: canary });
    expect(await failure(new CredentialKey('idp', `${other}:prod`))).toMatchObject({
      code: 'invalid_request',
      message: `key: idp:${other}:prod is a credential of ${other}, not of ${provider}`,
    });
  }
  expect(await failure(`idp:${provider}:prod`)).toMatchObject({ code: 'not_found' });
  await persistSample(
    host.store.persist!,
    sampleCredential({ provider, credential_key: `idp:${provider}:old`, lifetime_seconds: -1 }),
  );
  expect(await failure(`idp:${provider}:old`)).toMatchObject({ code: 'expired' });
  expect(await failure(`no key ${newRunId()}`)).toMatchObject({ code: 'invalid_request' });
}
