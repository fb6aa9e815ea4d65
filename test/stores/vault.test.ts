/** The store in Vault and OpenBao, on a loopback server of KV version 2. */
import { startVault } from '../../fixtures/loopback/vault.mjs';
import type { RemoteOptions } from '../../src/stores/remote.js';
import { openVaultStore } from '../../src/stores/vault.js';
import { storeContract } from './contract.js';
import { onLoopback } from './loopback.js';
import { remoteSuite } from './remote.js';

onLoopback();

async function start(options: Parameters<typeof startVault>[0] = {}) {
  const server = await startVault(options);
  const env = { VAULT_TOKEN: server.root };
  const open = (more?: RemoteOptions) =>
    openVaultStore(`vault+${server.url}/secret/cloud-cli`, { env, ...more });
  return { ...server, open, secrets: [server.root] };
}

storeContract('vault', async () => {
  const { open, close } = await start();
  return { store: await open(), cleanup: async () => void (await close()) };
});

remoteSuite('vault', start, {
  permission: /create and update on secret\/data\/cloud-cli\/idp\/aws\/prod/,
  failing: {
    denied: /denies it \(HTTP 403\)/,
    throttled: /busy \(HTTP 429\)/,
    standby: /busy \(HTTP 473\)/,
    sealed: /busy \(HTTP 503\)/,
    elsewhere: /refused \(HTTP 307\)/,
    full: /takes no more \(HTTP 413\)/,
  },
  too_large: 600_000,
  isWrite: ({ method, url }) => method === 'POST' && url.pathname.includes('/data/'),
});
