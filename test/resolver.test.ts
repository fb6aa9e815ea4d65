/** The resolver: which store's credential wins, and what is said when none does. */
import { describe, expect, it } from 'vitest';
import type { Credential } from '../src/credential.js';
import { CloudCliError } from '../src/errors.js';
import { CredentialKey } from '../src/key.js';
import { CredentialResolver } from '../src/resolver.js';
import { gcpCredential } from './stores/contract.js';

const key = new CredentialKey('idp', 'gcp:prod');
const hours = (count: number) => new Date(Date.now() + count * 3_600_000).toISOString();

function credential(expires_at = hours(1)): Credential {
  return { ...gcpCredential(`${key}`), expires_at };
}

/** A store that holds `held` for every key, and notes what it is asked for. */
function holding(held?: Credential) {
  const asked: CredentialKey[] = [];
  const read = async (key: CredentialKey) => {
    asked.push(key);
    return held;
  };
  return { read, asked };
}

describe('resolve', () => {
  it('gives the first credential that lives, and asks no further', async () => {
    const [empty, first, second] = [holding(), holding(credential()), holding(credential(hours(9)))];
    const resolver = new CredentialResolver([empty, first, second]);
    expect(await resolver.resolve(key)).toBe(await first.read(key));
    expect(empty.asked).toEqual([key]);
    expect(second.asked).toEqual([]);
  });

  it('passes over an expired credential for one that lives', async () => {
    const living = credential();
    const resolver = new CredentialResolver([holding(credential(hours(-1))), holding(living)]);
    expect(await resolver.resolve(key)).toBe(living);
  });

  it('fails as expired where there are only such, and says when the last of them did', async () => {
    const [early, late] = [hours(-3), hours(-1)];
    for (const times of [
      [early, late],
      [late, early],
    ]) {
      const resolver = new CredentialResolver([holding(), ...times.map((time) => holding(credential(time)))]);
      await expect(resolver.resolve(key)).rejects.toMatchObject({
        code: 'expired',
        message: `idp:gcp:prod expired at ${late}`,
        hint: 'Mint it again: cloud-cli mint ... --target-credential-key idp:gcp:prod',
      });
    }
  });

  it('takes a credential of this very moment, or with no readable expiry, for expired', async () => {
    for (const expires_at of [new Date().toISOString(), 'soon', '']) {
      const resolver = new CredentialResolver([holding(credential(expires_at))]);
      await expect(resolver.resolve(key)).rejects.toMatchObject({ code: 'expired' });
    }
  });

  it('fails as not_found where no store holds the key, or there is no store', async () => {
    for (const stores of [[], [holding(), holding()]]) {
      await expect(new CredentialResolver(stores).resolve(key)).rejects.toMatchObject({
        code: 'not_found',
        message: 'no store holds idp:gcp:prod',
        hint: 'Mint it: cloud-cli mint ... --target-credential-key idp:gcp:prod',
      });
    }
  });

  it('fails with the error of a store that fails, though a later one might know', async () => {
    const error = new CloudCliError('invalid_request', 'broken', { hint: 'Mend it.', issues: [] });
    const later = holding(credential());
    const broken = { read: () => Promise.reject(error) };
    await expect(new CredentialResolver([broken, later]).resolve(key)).rejects.toBe(error);
    expect(later.asked).toEqual([]);
  });

  it('keeps to the stores that it was made with', async () => {
    const stores = [holding(credential())];
    const resolver = new CredentialResolver(stores);
    stores.length = 0;
    expect(await resolver.resolve(key)).toBeDefined();
  });
});
