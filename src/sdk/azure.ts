/** A stored credential as the Azure SDK takes a TokenCredential. */
import type { CredentialKey } from '../key.js';
import { ofProvider, type Resolver } from './of-provider.js';

export type { Resolver } from './of-provider.js';

/** The SDK's AccessToken. */
export interface AzureToken {
  /** The bearer token, in the clear. */
  token: string;
  /** Milliseconds of Unix time; the SDK asks again when less than two minutes are left. */
  expiresOnTimestamp: number;
}

/**
 * The key's credential each time that a client asks: `new SecretClient(url, azureTokenCredential(resolver, key))`.
 * A token is good for the resource that it was minted for, whatever scope the client names.
 *
 * `getToken` rejects with `invalid_request` for another provider's credential, and as the resolver does.
 * @throws CloudCliError `invalid_request` for a key that is none
 */
export function azureTokenCredential(
  resolver: Resolver,
  key: CredentialKey | string,
): { getToken(scopes?: string | string[]): Promise<AzureToken> } {
  const resolve = ofProvider('azure', resolver, key);
  return {
    getToken: async () => {
      const { access_token, expires_at } = await resolve();
      return { token: access_token.reveal(), expiresOnTimestamp: Date.parse(expires_at) };
    },
  };
}
