/** A key's credential, if it is of the provider whose SDK asks. */
import type { Credential } from '../credential.js';
import { invalidRequest } from '../errors.js';
import { CredentialKey } from '../key.js';
import type { CredentialResolver } from '../resolver.js';

/** Where an SDK's credentials come from: a CredentialResolver, or whatever resolves as one. */
export type Resolver = Pick<CredentialResolver, 'resolve'>;

/**
 * Resolves `key` anew at each call, so that a renewal is found; a key that is none is refused before the first.
 * A call rejects with `invalid_request` for a credential of another provider, and as the resolver does.
 */
export function ofProvider<P extends Credential['provider']>(
  provider: P,
  resolver: Resolver,
  key: CredentialKey | string,
): () => Promise<Extract<Credential, { provider: P }>> {
  const parsed = CredentialKey.parse(`${key}`);
  return async () => {
    const credential = await resolver.resolve(parsed);
    if (isOf(provider, credential)) return credential;
    const message = `${parsed} is a credential of ${credential.provider}, not of ${provider}`;
    throw invalidRequest([{ field: 'key', message }], `Name the key of a credential of ${provider}.`);
  };
}

function isOf<P extends Credential['provider']>(
  provider: P,
  credential: Credential,
): credential is Extract<Credential, { provider: P }> {
  return credential.provider === provider;
}
