/**
 * Azure Key Vault: one secret per key. The metadata stands in its tags, which are set together with the value, and
 * come back in the list of secrets without it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TokenCredential } from '@azure/identity';
import type { SecretClient } from '@azure/keyvault-secrets';
import type { CredentialMetadata, CredentialStore } from '../credential.js';
import { metadataOf } from '../credential.js';
import type { CredentialKey } from '../key.js';
import { metadataIn } from './description.js';
import { loadPeer } from './peer.js';
import { badUrl, type Call, type EndpointOptions, remoteStore, type Service } from './remote.js';
import { prefixPattern, secretName } from './secret-name.js';
import { networkTrouble, type Trouble } from './trouble.js';

/** What gives a token; the credentials of `@azure/identity` are such. */
export interface AzureLogin {
  /** A token for the vault; null where there is none. */
  getToken(
    scopes: string | string[],
    options?: { abortSignal?: AbortSignal },
  ): Promise<{ token: string; expiresOnTimestamp: number } | null>;
}

/** Clocks, endpoint and login. */
export interface AzureKeyVaultOptions extends EndpointOptions {
  /** Default `new DefaultAzureCredential()`. */
  credential?: AzureLogin;
  /** An authority in PEM that the endpoint's certificate is checked against. */
  ca?: string;
}

const nameLength = 127;
/** Of a tag's value, and of how many there may be: https://learn.microsoft.com/azure/key-vault/secrets/about-secrets */
const tagLength = 256;
const urlHint =
  'Name the store as azure-keyvault:VAULT/PREFIX, such as azure-keyvault:my-vault/cloud-cli, or by the URL of the vault.';

/**
 * Opens the store `azure-keyvault:VAULT[/PREFIX]`, where VAULT is a name or, outside the public cloud, an https URL.
 * @throws CloudCliError `invalid_request` for a URL that names no such place, and where an SDK is missing
 */
export async function openAzureKeyVaultStore(
  url: string,
  options: AzureKeyVaultOptions = {},
): Promise<Required<CredentialStore>> {
  const [, host, name, prefix = ''] =
    /^azure-keyvault:(?:https:\/\/([A-Za-z0-9.-]+(?::\d+)?)|([A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]))(?:\/([^/]*))?\/?$/.exec(
      url,
    ) ?? [];
  if (host === undefined && name === undefined) throw badUrl('names no vault', urlHint);
  if (prefix !== '' && !prefixPattern.test(prefix))
    throw badUrl('must have a prefix of at most 40 lower-case letters, digits and single dashes', urlHint);
  const { SecretClient } = await loadPeer('@azure/keyvault-secrets', () => import('@azure/keyvault-secrets'));
  const vault = options.endpoint ?? `https://${host ?? `${name}.vault.azure.net`}`;
  const settings = {
    // One place retries: where the clock of the whole method is known.
    retryOptions: { maxRetries: 0 },
    disableChallengeResourceVerification: options.endpoint !== undefined,
    ...(options.ca === undefined ? {} : { tlsOptions: { ca: options.ca } }),
  };
  const login = (options.credential ?? (await defaultLogin())) as TokenCredential;
  const client = new SecretClient(vault, login, settings);
  return remoteStore(new KeyVault(client, name ?? host!, prefix), options);
}

async function defaultLogin(): Promise<AzureLogin> {
  const { DefaultAzureCredential } = await loadPeer('@azure/identity', () => import('@azure/identity'));
  return new DefaultAzureCredential() as AzureLogin;
}

class KeyVault implements Service {
  readonly title: string;
  /** 25 KB: https://learn.microsoft.com/azure/key-vault/secrets/about-secrets */
  readonly most_bytes = 25_000;
  readonly #client: SecretClient;
  readonly #prefix: string;

  constructor(client: SecretClient, name: string, prefix: string) {
    this.#client = client;
    this.#prefix = prefix;
    this.title = `Key Vault ${name}`;
  }

  readonly probe: Service['probe'] = async (call) => {
    await call(needs('list'), async (abortSignal) => {
      await this.#client.listPropertiesOfSecrets({ abortSignal }).byPage({ maxPageSize: 1 }).next();
    });
  };

  readonly write: Service['write'] = async (key, text, metadata, call) => {
    const name = this.#name(key);
    const settings = {
      contentType: 'application/json',
      expiresOn: new Date(metadata.expires_at),
      tags: tagsOf(metadata),
    };
    for (;;) {
      const set = await call(needs('set'), (abortSignal) =>
        this.#client.setSecret(name, text, { ...settings, abortSignal }).catch(otherwise(409)),
      );
      if (set) return;
      // The name belongs to a secret that was deleted and can be brought back, or is on its way there or back.
      await call(needs('recover'), async (abortSignal) => {
        await this.#client.beginRecoverDeletedSecret(name, { abortSignal }).catch(otherwise(404, 409));
      });
      await sleep(500);
    }
  };

  readonly read: Service['read'] = async (key, call) => {
    const secret = await call(needs('get'), (abortSignal) =>
      this.#client.getSecret(this.#name(key), { abortSignal }).catch(otherwise(404)),
    );
    return secret?.value;
  };

  // One secret's properties come with its value only; those of all come without.
  readonly describe: Service['describe'] = async (key, call) =>
    (await this.list(call)).find(({ credential_key }) => credential_key === `${key}`);

  readonly list: Service['list'] = (call) =>
    // The SDK's pages cannot be taken up where they failed, so that the whole list is one call.
    call(needs('list'), async (abortSignal) => {
      const found: CredentialMetadata[] = [];
      for await (const { name, tags = {} } of this.#client.listPropertiesOfSecrets({ abortSignal })) {
        const metadata = metadataOfTags(tags);
        // What another prefix holds, or was copied here, is not this store's. Key Vault's names ignore case.
        if (metadata && name.toLowerCase() === this.#name(metadata.credential_key)) found.push(metadata);
      }
      return found;
    });

  readonly remove: Service['remove'] = async (key, call) => {
    const name = this.#name(key);
    let tries = 0;
    const deleted = await call(needs('delete'), (abortSignal) => {
      tries += 1;
      return this.#client.beginDeleteSecret(name, { abortSignal }).catch(otherwise(404));
    });
    // Gone at a second try: the first one was done without its answer having come through.
    if (!deleted && tries === 1) return false;
    await this.#purge(name, call).catch(() => {});
    return true;
  };

  readonly explain = azureTrouble;

  /** Takes the name out of the bin, where this host may and the vault allows it: nobody reads it there anyway. */
  async #purge(name: string, call: Call): Promise<void> {
    for (let purged = false; !purged; ) {
      purged = await call(needs('purge'), async (abortSignal) => {
        const still = await this.#client.purgeDeletedSecret(name, { abortSignal }).then(
          () => undefined,
          (error: unknown) => error,
        );
        const { statusCode } = (still ?? {}) as { statusCode?: number };
        // Until the deletion is through, it is not there yet, or in conflict with it.
        if (statusCode === 404 || statusCode === 409) return false;
        if (still !== undefined) throw still;
        return true;
      });
      if (!purged) await sleep(500);
    }
  }

  #name(key: CredentialKey | string): string {
    return secretName(this.#prefix, key, nameLength);
  }
}

function needs(action: string): string {
  return `the secret permission "${action}", as Key Vault Secrets Officer has`;
}

/** Passes on any error but those with one of `statuses`; they give undefined. */
function otherwise(...statuses: number[]) {
  return (error: unknown): undefined => {
    if (!statuses.includes((error as { statusCode?: number }).statusCode ?? 0)) throw error;
  };
}

/** The identity goes over several tags where it is longer than one. */
function tagsOf(metadata: CredentialMetadata): Record<string, string> {
  const { source_identity, ...rest } = metadataOf(metadata);
  const parts = source_identity.match(new RegExp(`[^]{1,${tagLength}}`, 'g')) ?? [''];
  const named = parts.map((part, index) => [`source_identity${index === 0 ? '' : `_${index + 1}`}`, part]);
  return { ...rest, ...Object.fromEntries(named) };
}

function metadataOfTags(tags: Readonly<Record<string, string>>): CredentialMetadata | undefined {
  const { source_identity, ...rest } = tags;
  const more = [2, 3, 4, 5].map((part) => tags[`source_identity_${part}`] ?? '');
  return metadataIn({ ...rest, source_identity: source_identity && source_identity + more.join('') });
}

const loginHint =
  'Run: az login; or give this host a managed identity, or AZURE_CLIENT_ID, AZURE_TENANT_ID and a secret or federated token.';

/** https://learn.microsoft.com/azure/key-vault/general/rest-error-codes */
function azureTrouble(error: unknown): Trouble {
  const {
    name = '',
    statusCode,
    code,
    details,
  } = error as {
    name?: string;
    statusCode?: number;
    code?: string;
    details?: { error?: { innerError?: { code?: string }; innererror?: { code?: string } } };
  };
  const network = networkTrouble(error);
  if (/Authentication|Credential/.test(name)) return network ?? { kind: 'login', hint: loginHint };
  if (statusCode === undefined) return network ?? { kind: 'unclear', code };
  // The service writes it the one way, and versions of the SDK the other.
  const inner = (details?.error?.innerError ?? details?.error?.innererror)?.code;
  const told = { status: statusCode, code: inner ?? code };
  if (/^ForbiddenBy(Firewall|Connection)$/.test(inner ?? ''))
    return { kind: 'denied', ...told, hint: "Let this host's address through the vault's firewall." };
  if (statusCode === 401) return { kind: 'login', ...told, hint: loginHint };
  if (statusCode === 403) return { kind: 'denied', ...told };
  if (statusCode === 404) return { kind: 'missing', ...told };
  if (statusCode === 429 || statusCode === 503) return { kind: 'busy', ...told };
  // Of a success the body could not be read.
  return { kind: statusCode >= 500 || statusCode < 300 ? 'unclear' : 'refused', ...told };
}
