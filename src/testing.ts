/** What an embedder needs to test a persist hook or a store: samples, a run of the hook as a mint runs it, the contract. */
import type { Credential, PersistHook } from './credential.js';
import { CredentialKey } from './key.js';
import { handOver } from './persist.js';
import { sampleCredential } from './sample.js';

export { type SampleOptions, sampleCredential } from './sample.js';
export { type StoreCheck, storeContract, type WritableStore } from './store-contract.js';

/**
 * Hands a credential to a hook as a mint does: with its key, a run id, a signal, and the clock over it.
 * @throws CloudCliError `persist_failed` where a mint would fail so, with the same words
 */
export async function persistSample(
  persist: PersistHook,
  credential: Credential = sampleCredential(),
  signal?: AbortSignal,
): Promise<void> {
  const key = CredentialKey.parse(credential.credential_key);
  await handOver(persist, key, credential, { run_id: credential.audit_run_id, signal });
}
