/** Opens a credential store by its URL. */
import type { CredentialStore } from '../credential.js';
import { invalidRequest } from '../errors.js';
import { noStore } from './none.js';
import type { EndpointOptions } from './remote.js';

/** What the kinds of stores take besides their URL. */
export interface StoreOptions extends EndpointOptions {
  /** Encrypts to these age recipients alone, so that the host can write what it cannot read; for `file:`. */
  recipients?: readonly string[];
}

type Open = (url: string, options: StoreOptions) => Promise<CredentialStore>;

/** By the scheme of the URL. None is loaded before it is asked for. */
const kinds: Readonly<Record<string, { form: string; open: Open }>> = {
  file: {
    form: 'file:DIRECTORY',
    open: async (url, options) =>
      (await import('./file.js')).openFileStore(url.slice('file:'.length), options),
  },
  'vault+https': { form: 'vault+https://HOST/MOUNT/PREFIX', open: openVault },
  'vault+http': { form: 'vault+http://127.0.0.1/MOUNT/PREFIX', open: openVault },
  'aws-ssm': {
    form: 'aws-ssm:/PREFIX',
    open: async (url, options) => (await import('./aws-ssm.js')).openAwsSsmStore(url, options),
  },
  'aws-secretsmanager': {
    form: 'aws-secretsmanager:PREFIX',
    open: async (url, options) =>
      (await import('./aws-secretsmanager.js')).openAwsSecretsManagerStore(url, options),
  },
  'gcp-secretmanager': {
    form: 'gcp-secretmanager:PROJECT/PREFIX',
    open: async (url, options) =>
      (await import('./gcp-secretmanager.js')).openGcpSecretManagerStore(url, options),
  },
  'azure-keyvault': {
    form: 'azure-keyvault:VAULT/PREFIX',
    open: async (url, options) => (await import('./azure-keyvault.js')).openAzureKeyVaultStore(url, options),
  },
  none: { form: 'none:', open: async () => noStore },
};

/**
 * Opens the store that `url` names: a directory (`file:`), Vault or OpenBao (`vault+https:`), a cloud's secret store
 * (`aws-ssm:`, `aws-secretsmanager:`, `gcp-secretmanager:`, `azure-keyvault:`), or `none:`, which keeps nothing.
 * @throws CloudCliError `invalid_request` for a URL of another kind, or one that its kind does not take
 */
export async function openCredentialStore(url: string, options: StoreOptions = {}): Promise<CredentialStore> {
  const scheme = /^[a-z+-]+(?=:)/.exec(url)?.[0] ?? '';
  const kind = Object.hasOwn(kinds, scheme) ? kinds[scheme] : undefined;
  if (!kind || url === 'file:' || (scheme === 'none' && url !== 'none:')) {
    const forms = Object.values(kinds).map(({ form }) => form);
    throw invalidRequest(
      [{ field: 'store_url', message: `must be ${forms.slice(0, -1).join(', ')} or ${forms.at(-1)}` }],
      'Name the store as file:/path/to/credentials, or as docs/stores.md says.',
    );
  }
  if (scheme !== 'file' && scheme !== 'none' && (options.recipients ?? []).length > 0) {
    throw invalidRequest(
      [{ field: 'CLOUD_CLI_AGE_RECIPIENTS', message: `is for file: alone, and the store is ${kind.form}` }],
      'Unset it: who may read is decided by the permissions of that service.',
    );
  }
  return kind.open(url, options);
}

async function openVault(url: string, options: StoreOptions): Promise<CredentialStore> {
  return (await import('./vault.js')).openVaultStore(url, options);
}
