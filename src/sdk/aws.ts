/** A stored credential as the AWS SDK for JavaScript v3 takes its `credentials`. */
import type { CredentialKey } from '../key.js';
import { ofProvider, type Resolver } from './of-provider.js';

export type { Resolver } from './of-provider.js';

/** The SDK's AwsCredentialIdentity. */
export interface AwsIdentity {
  /** The credential's public id. */
  readonly accessKeyId: string;
  /** Its secret, in the clear. */
  readonly secretAccessKey: string;
  /** Its token, in the clear. */
  readonly sessionToken: string;
  /** The SDK asks again when less than five minutes are left. */
  readonly expiration: Date;
}

/**
 * The key's credential each time that a client asks: `new S3Client({ credentials: awsCredentialProvider(resolver, key) })`.
 * It rejects with `invalid_request` for another provider's credential, and as the resolver does.
 * @throws CloudCliError `invalid_request` for a key that is none
 */
export function awsCredentialProvider(
  resolver: Resolver,
  key: CredentialKey | string,
): () => Promise<AwsIdentity> {
  const resolve = ofProvider('aws', resolver, key);
  return async () => {
    const { access_key_id, secret_access_key, session_token, expires_at } = await resolve();
    return {
      accessKeyId: access_key_id.reveal(),
      secretAccessKey: secret_access_key.reveal(),
      sessionToken: session_token.reveal(),
      expiration: new Date(expires_at),
    };
  };
}
