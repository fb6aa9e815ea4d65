/** A store of one's own: each credential in a Map, for tests and for processes that keep nothing on disk. */
import {
  CloudCliError,
  type CredentialMetadata,
  type CredentialStore,
  type PersistHook,
  parseCredential,
  serializeCredential,
} from '@alphaswarm/cloud-cli';

export function memoryStore(): CredentialStore & { readonly persist: PersistHook } {
  const kept = new Map<string, { metadata: CredentialMetadata; json: string }>();
  return {
    persist: (key, credential, { signal }) => {
      const { provider, credential_key, expires_at, source_identity, audit_run_id } = credential;
      if (signal.aborted) throw refusal('the mint was cancelled');
      if (credential_key !== `${key}`) throw refusal('the credential is for another key');
      const metadata = { provider, credential_key, expires_at, source_identity, audit_run_id };
      // One write replaces both, so that what is described is always what is read.
      kept.set(credential_key, { metadata, json: serializeCredential(credential) });
    },
    read: async (key) => {
      const found = kept.get(`${key}`);
      return found && parseCredential(found.json);
    },
    describe: async (key) => kept.get(`${key}`)?.metadata,
    list: async () =>
      [...kept].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, { metadata }]) => metadata),
    remove: async (key) => kept.delete(`${key}`),
    close: async () => {},
  };
}

function refusal(message: string) {
  return new CloudCliError('persist_failed', message, { hint: 'Mint it again.' });
}
