/** Each store on the network with its service on loopback, for the tests of that store and of all of them. */
import { startKeyVault } from '../../fixtures/loopback/key-vault.mjs';
import { startSecretManager } from '../../fixtures/loopback/secret-manager.mjs';
import { startSecretsManager } from '../../fixtures/loopback/secretsmanager.mjs';
import { startSsm } from '../../fixtures/loopback/ssm.mjs';
import { startVault } from '../../fixtures/loopback/vault.mjs';
import type { CredentialStore } from '../../src/credential.js';
import { openAwsSecretsManagerStore } from '../../src/stores/aws-secretsmanager.js';
import { openAwsSsmStore } from '../../src/stores/aws-ssm.js';
import { openAzureKeyVaultStore } from '../../src/stores/azure-keyvault.js';
import { openGcpSecretManagerStore } from '../../src/stores/gcp-secretmanager.js';
import type { RemoteOptions } from '../../src/stores/remote.js';
import { openVaultStore } from '../../src/stores/vault.js';
import { newCertificate, onLoopback } from './loopback.js';

/** A request, as the loopback servers record it. */
export interface Asked {
  method: string;
  url: URL;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** What the tests of all stores need of a service. */
export interface Service {
  /** The store on this service. */
  open(options?: RemoteOptions): Promise<Required<CredentialStore>>;
  be(word: string, when?: { times?: number; only?: (request: Asked) => boolean }): void;
  calls: Asked[];
  close(): Promise<unknown>;
  /** Secrets of this host that no error may hold. */
  hidden: string[];
}

const { aws_secret } = onLoopback();

export const ssmUrl = 'aws-ssm:/cloud-cli/test?region=eu-central-1';

export async function ssm() {
  const server = await startSsm();
  const open = (options?: RemoteOptions) => openAwsSsmStore(ssmUrl, { endpoint: server.url, ...options });
  return { ...server, open, hidden: [aws_secret] };
}

export const secretsManagerUrl = 'aws-secretsmanager:cloud-cli/test?region=eu-central-1';

export async function secretsManager() {
  const server = await startSecretsManager();
  const open = (options?: RemoteOptions) =>
    openAwsSecretsManagerStore(secretsManagerUrl, { endpoint: server.url, ...options });
  return { ...server, open, hidden: [aws_secret] };
}

export async function vault(options: Parameters<typeof startVault>[0] = {}) {
  const server = await startVault(options);
  const openAs = (env: NodeJS.ProcessEnv, more?: RemoteOptions) =>
    openVaultStore(`vault+${server.url}/secret/cloud-cli`, { env, ...more });
  const open = (more?: RemoteOptions) => openAs({ VAULT_TOKEN: server.root }, more);
  return { ...server, open, openAs, hidden: [server.root] };
}

/** Its token comes from the metadata server beside it, which the environment of this process names. */
export async function secretManager() {
  const server = await startSecretManager();
  process.env.GCE_METADATA_HOST = new URL(server.url).host;
  const open = (options?: RemoteOptions) =>
    openGcpSecretManagerStore('gcp-secretmanager:my-project/team', { endpoint: server.url, ...options });
  return { ...server, open, hidden: [server.token] };
}

let certificate: ReturnType<typeof newCertificate> | undefined;

export async function keyVault() {
  certificate ??= newCertificate();
  const { key, cert: ca } = certificate;
  const server = await startKeyVault({ key, cert: ca });
  const getToken = async () => ({ token: server.token, expiresOnTimestamp: Date.now() + 3_600_000 });
  const open = (options?: RemoteOptions) =>
    openAzureKeyVaultStore('azure-keyvault:my-vault/team', {
      ...{ endpoint: server.url, credential: { getToken }, ca },
      ...options,
    });
  return { ...server, open, ca, hidden: [server.token] };
}

/** By the scheme of the URL, and which requests carry a new secret. */
export const services: Record<
  string,
  { start: () => Promise<Service>; isWrite: (request: Asked) => boolean }
> = {
  'aws-ssm': {
    start: ssm,
    isWrite: ({ headers }) => headers['x-amz-target'] === 'AmazonSSM.PutParameter',
  },
  'aws-secretsmanager': {
    start: secretsManager,
    isWrite: ({ headers }) => /UpdateSecret|CreateSecret/.test(String(headers['x-amz-target'])),
  },
  vault: {
    start: vault,
    isWrite: ({ method, url }) => method === 'POST' && url.pathname.includes('/data/'),
  },
  'gcp-secretmanager': {
    start: secretManager,
    isWrite: ({ url }) => url.pathname.endsWith(':addVersion'),
  },
  'azure-keyvault': { start: keyVault, isWrite: ({ method }) => method === 'PUT' },
};
