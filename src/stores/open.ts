/** Opens a credential store by its URL. */
import type { CredentialStore } from '../credential.js';
import { invalidRequest } from '../errors.js';
import { noStore } from './none.js';

export interface StoreOptions {
  /** Encrypts to these age recipients alone, so that the host can write what it cannot read. */
  recipients?: readonly string[];
}

/**
 * Opens the store that `url` names: `file:DIRECTORY`, or `none:`, which keeps nothing.
 * @throws CloudCliError `invalid_request` for a URL of another kind
 */
export async function openCredentialStore(url: string, options: StoreOptions = {}): Promise<CredentialStore> {
  if (url === 'none:') return noStore;
  const [, scheme, path] = /^(file):(.+)$/s.exec(url) ?? [];
  if (scheme === 'file' && path) return (await import('./file.js')).openFileStore(path, options);
  throw invalidRequest(
    [{ field: 'store_url', message: 'must be file:DIRECTORY or none:' }],
    'Name the store as file:/path/to/credentials.',
  );
}
