/** The store in Azure Key Vault, through the real SDK, on a loopback server with a certificate of its own. */
import { startKeyVault } from '../../fixtures/loopback/key-vault.mjs';
import { openAzureKeyVaultStore } from '../../src/stores/azure-keyvault.js';
import type { RemoteOptions } from '../../src/stores/remote.js';
import { storeContract } from './contract.js';
import { newCertificate, onLoopback } from './loopback.js';
import { remoteSuite } from './remote.js';

onLoopback();
const tls = newCertificate();

async function start() {
  const server = await startKeyVault(tls);
  const credential = {
    getToken: async () => ({ token: server.token, expiresOnTimestamp: Date.now() + 3_600_000 }),
  };
  const open = (options?: RemoteOptions) =>
    openAzureKeyVaultStore('azure-keyvault:my-vault/team', {
      ...{ endpoint: server.url, credential, ca: tls.cert },
      ...options,
    });
  return { ...server, open, secrets: [server.token] };
}

storeContract('azure-keyvault', async () => {
  const { open, close } = await start();
  return { store: await open(), cleanup: async () => void (await close()) };
});

remoteSuite('azure-keyvault', start, {
  permission: /"set".*Key Vault Secrets Officer/,
  failing: {
    denied: /denies it \(ForbiddenByRbac, HTTP 403\)/,
    firewall: /denies it \(ForbiddenByFirewall, HTTP 403\)/,
    login: /login \(Unauthorized, HTTP 401\)/,
    throttled: /busy \(Throttled, HTTP 429\)/,
    full: /refused \(BadParameter, HTTP 400\)/,
  },
  too_large: 25_500,
  isWrite: ({ method }) => method === 'PUT',
});
