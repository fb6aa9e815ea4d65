/** A stored credential as Google's SDKs take their `authClient`. */
import type { CredentialKey } from '../key.js';
import { ofProvider, type Resolver } from './of-provider.js';

export type { Resolver } from './of-provider.js';

/** What google-auth-library's OAuth2Client asks for a token when it has none, or one that ends within five minutes. */
export type RefreshHandler = () => Promise<{ access_token: string; expiry_date: number }>;

/**
 * A client that sends the key's credential: `gcpAuthClient(resolver, key, OAuth2Client)`. The class is the caller's,
 * since google-gax brings a google-auth-library of its own, and a client of one copy is no AuthClient of the other.
 *
 * Its calls reject with `invalid_request` for another provider's credential, and as the resolver does.
 * @throws CloudCliError `invalid_request` for a key that is none
 */
export function gcpAuthClient<Client extends { refreshHandler?: RefreshHandler }>(
  resolver: Resolver,
  key: CredentialKey | string,
  OAuth2Client: new () => Client,
): Client {
  const resolve = ofProvider('gcp', resolver, key);
  const client = new OAuth2Client();
  client.refreshHandler = async () => {
    const { access_token, expires_at } = await resolve();
    return { access_token: access_token.reveal(), expiry_date: Date.parse(expires_at) };
  };
  return client;
}
