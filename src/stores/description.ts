/** A credential's metadata in what services keep beside a secret: one line of text, or a few named values. */
import { type CredentialMetadata, metadataOf } from '../credential.js';
import { type CredentialKey, isCredentialKey } from '../key.js';
import { Refusal } from './remote.js';

/**
 * The metadata as a line that people can read too. It lacks the key, which the secret's name tells: a role ARN may be
 * long, and AWS gives a parameter's description 1,024 characters.
 */
export function describing(metadata: CredentialMetadata, most: number): string {
  const { provider, expires_at, audit_run_id, source_identity } = metadata;
  const line = ['cloud-cli', provider, expires_at, audit_run_id, source_identity].join(' ');
  if (line.length <= most && /^\S+ \S+ \S+ \S+ .+$/.test(line)) return line;
  throw new Refusal(
    'the credential has metadata that the store cannot describe',
    'Name a store of another kind in CLOUD_CLI_STORE_URL.',
  );
}

/** What {@link describing} says of `key`; undefined where the line is another's. */
export function described(line: string | undefined, key: CredentialKey | string) {
  const [, provider, expires_at, audit_run_id, source_identity] =
    /^cloud-cli (\S+) (\S+) (\S+) (.+)$/s.exec(line ?? '') ?? [];
  return metadataIn({ provider, credential_key: `${key}`, expires_at, source_identity, audit_run_id });
}

/** The metadata among `values`; undefined where they are another's. */
export function metadataIn(values: Readonly<Record<string, unknown>>): CredentialMetadata | undefined {
  const metadata = metadataOf(values as unknown as CredentialMetadata);
  const whole = Object.values(metadata).every((value) => typeof value === 'string');
  return whole && isCredentialKey(metadata.credential_key) ? metadata : undefined;
}
