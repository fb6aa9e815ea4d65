/** The store in Google Cloud Secret Manager, on a loopback server of it and of the metadata server. */
import { startSecretManager } from '../../fixtures/loopback/secret-manager.mjs';
import { openGcpSecretManagerStore } from '../../src/stores/gcp-secretmanager.js';
import type { RemoteOptions } from '../../src/stores/remote.js';
import { storeContract } from './contract.js';
import { onLoopback } from './loopback.js';
import { remoteSuite } from './remote.js';

onLoopback();

async function start() {
  const server = await startSecretManager();
  process.env.GCE_METADATA_HOST = new URL(server.url).host;
  const open = (options?: RemoteOptions) =>
    openGcpSecretManagerStore('gcp-secretmanager:my-project/team', { endpoint: server.url, ...options });
  return { ...server, open, secrets: [server.token] };
}

storeContract('gcp-secretmanager', async () => {
  const { open, close } = await start();
  return { store: await open(), cleanup: async () => void (await close()) };
});

remoteSuite('gcp-secretmanager', start, {
  permission: /secretmanager\.versions\.add/,
  failing: {
    denied: /denies it \(PERMISSION_DENIED, HTTP 403\)/,
    login: /login \(UNAUTHENTICATED, HTTP 401\)/,
    throttled: /busy \(RESOURCE_EXHAUSTED, HTTP 429\)/,
    disabled: /refused \(SERVICE_DISABLED, HTTP 403\)/,
    full: /refused \(INVALID_ARGUMENT, HTTP 400\)/,
  },
  too_large: 66_000,
  isWrite: ({ url }) => url.pathname.endsWith(':addVersion'),
});
