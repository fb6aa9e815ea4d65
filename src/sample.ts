/** Credentials to test with, of any provider. */
import type { Credential } from './credential.js';
import { listHandlers, type MoreHandlers } from './request.js';
import { newRunId } from './run-id.js';
import { Secret } from './secret.js';

/** What the sample is to look like. */
export interface SampleOptions {
  /** Default `aws`. */
  provider?: string;
  /** Default `idp:PROVIDER:sample`. */
  credential_key?: string;
  /** Seconds from now until it expires; default 3600, and negative for one that has expired. */
  lifetime_seconds?: number;
  /** Providers of your own. */
  handlers?: MoreHandlers;
}

/**
 * A credential as a hook receives it, with every part that its provider's have. Each secret reads `sample-NAME-...`
 * and is different in each sample, so that a test can look for it where it must not be.
 */
export function sampleCredential(options: SampleOptions = {}): Credential {
  const { provider = 'aws', lifetime_seconds = 3600 } = options;
  const handler = listHandlers(options.handlers).find(({ name }) => name === provider);
  if (!handler) throw new Error(`there is no provider ${provider}`);
  const run_id = newRunId();
  return {
    provider,
    credential_key: options.credential_key ?? `idp:${provider}:sample`,
    expires_at: new Date(Date.now() + lifetime_seconds * 1000).toISOString(),
    source_identity: `sample-identity-of-${provider}`,
    audit_run_id: run_id,
    ...Object.fromEntries(handler.parts.map((part) => [part, new Secret(`sample-${part}-${run_id}`)])),
  } as unknown as Credential;
}
