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

  it('passes over what ends within the window, for the first that lives longer', async () => {
    const [soon, later, last] = [hours(1), hours(2), hours(3)].map((time) => holding(credential(time)));
    const stores = [soon!, later!, last!];
    const resolver = new CredentialResolver(stores, { min_remaining_seconds: 5400 });
    expect(await resolver.resolve(key)).toBe(await later!.read(key));
    expect(last!.asked).toEqual([]);
    expect(await resolver.resolve(key, { min_remaining_seconds: undefined })).toBe(await later!.read(key));
    expect(await resolver.resolve(key, { min_remaining_seconds: 0 })).toBe(await soon!.read(key));
    const without = new CredentialResolver(stores);
    expect(await without.resolve(key, { min_remaining_seconds: 9000 })).toBe(await last!.read(key));
  });

  it('gives the one that lives longest where none outlives the window, and none that has expired', async () => {
    const longest = credential(hours(2));
    const held = ['soon', hours(-1), hours(1), longest.expires_at, hours(1.5)];
    const stores = held.map((time) => holding(time === longest.expires_at ? longest : credential(time)));
    for (const chain of [stores, stores.toReversed()]) {
      const resolver = new CredentialResolver(chain, { min_remaining_seconds: 86_400 });
      expect(await resolver.resolve(key)).toBe(longest);
    }
    const expired = new CredentialResolver(stores.slice(0, 2), { min_remaining_seconds: 86_400 });
    await expect(expired.resolve(key)).rejects.toMatchObject({ code: 'expired' });
  });

  it('goes by moments, not by how they are written', async () => {
    const [second, fraction] = ['2100-01-01T00:00:00Z', '2100-01-01T00:00:00.500Z'];
    const stores = [second, fraction].map((time) => holding(credential(time)));
    const resolver = new CredentialResolver(stores, { min_remaining_seconds: 1e10 });
    expect((await resolver.resolve(key)).expires_at).toBe(fraction);
  });

  it('refuses a window that is none, when it is made and when it is asked', async () => {
    for (const min_remaining_seconds of [
      -1,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      '60' as unknown as number,
    ]) {
      const refusal = expect.objectContaining({
        code: 'invalid_request',
        details: { issues: [expect.objectContaining({ field: 'min_remaining_seconds' })] },
      });
      expect(() => new CredentialResolver([], { min_remaining_seconds })).toThrow(refusal);
      await expect(new CredentialResolver([]).resolve(key, { min_remaining_seconds })).rejects.toEqual(
        refusal,
      );
    }
  });

  it('keeps to the stores that it was made with', async () => {
    const stores = [holding(credential())];
    const resolver = new CredentialResolver(stores);
    stores.length = 0;
    expect(await resolver.resolve(key)).toBeDefined();
  });
});
