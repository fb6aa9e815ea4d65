/** The credentials that a command's keys name. */
import type { Settings } from '../config.js';
import type { Credential, CredentialStore } from '../credential.js';
import { CredentialKey } from '../key.js';
import { CredentialResolver } from '../resolver.js';
import { openCredentialStore } from '../stores/open.js';

/** Runs `work` with the configured store. */
export async function withStore<T>(
  settings: Settings,
  work: (store: CredentialStore) => Promise<T>,
): Promise<T> {
  const store = await openCredentialStore(settings.store_url, { recipients: settings.age_recipients });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** @throws CloudCliError `not_found` or `expired` when any of them is */
export async function resolveKeys(settings: Settings, keys: readonly string[]): Promise<Credential[]> {
  const parsed = keys.map((key) => CredentialKey.parse(key));
  return withStore(settings, async (store) => {
    const resolver = new CredentialResolver([store]);
    const credentials: Credential[] = [];
    for (const key of parsed) credentials.push(await resolver.resolve(key));
    return credentials;
  });
}
