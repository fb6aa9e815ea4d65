/** The Azure SDK with minted credentials: bearer tokens to a loopback Key Vault. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TokenCredential } from '@azure/core-auth';
import { SecretClient } from '@azure/keyvault-secrets';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AzureCredential, Credential } from '../../src/credential.js';
import { azureTokenCredential } from '../../src/sdk/azure.js';
import type { Resolver } from '../../src/sdk/of-provider.js';
import { temporaryDirectory, until } from '../support.js';
import { counting, expectRefusals, newHost } from './host.js';

/** A key and its certificate for 127.0.0.1. */
function newCertificate() {
  const directory = temporaryDirectory();
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(directory, name));
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=loopback'];
  const files = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key!, '-out', cert!];
  execFileSync('openssl', [...request, ...files], { stdio: 'pipe' });
  return { key: readFileSync(key!, 'utf8'), cert: readFileSync(cert!, 'utf8') };
}

/** A Key Vault that asks for a token first, as the real one does, and keeps those that it was sent. */
async function startVault() {
  const certificate = newCertificate();
  const tokens: string[] = [];
  const server = createServer(certificate, ({ headers }, response) => {
    const challenge =
      'Bearer authorization="https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111", resource="https://vault.azure.net"';
    if (!headers.authorization) return response.writeHead(401, { 'www-authenticate': challenge }).end();
    tokens.push(headers.authorization);
    const { port } = server.address() as AddressInfo;
    const body = { value: 'open', id: `https://127.0.0.1:${port}/secrets/database/1`, attributes: {} };
    return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    tokens,
    client: (resolver: Resolver, key: string) => {
      const credential: TokenCredential = azureTokenCredential(resolver, key);
      return new SecretClient(`https://127.0.0.1:${port}`, credential, {
        tlsOptions: { ca: certificate.cert },
        disableChallengeResourceVerification: true,
        retryOptions: { maxRetries: 0 },
      });
    },
  };
}

const bearer = (credential: Credential) => `Bearer ${(credential as AzureCredential).access_token.reveal()}`;

describe('the Azure SDK', () => {
  it('sends the minted token, and asks the store once while it lives for long', async () => {
    const host = await newHost();
    const vault = await startVault();
    const minted = await host.mint('azure', 3600);
    const resolver = counting(host.resolver);
    const client = vault.client(resolver, 'idp:azure:prod');
    for (let call = 0; call < 3; call += 1) expect((await client.getSecret('database')).value).toBe('open');
    expect(vault.tokens).toEqual(Array(3).fill(bearer(minted)));
    expect(resolver.calls).toBe(1);
  });

  it('sends the renewed token once the old one runs out', async () => {
    const host = await newHost();
    const vault = await startVault();
    const client = vault.client(host.resolver, 'idp:azure:prod');
    // Less than the two minutes in which the SDK refreshes, which it does beside the call that goes on with the old one.
    const old = await host.mint('azure', 100);
    await client.getSecret('database');
    const renewed = await host.mint('azure', 3600);
    await until(async () => {
      await client.getSecret('database');
      return vault.tokens.at(-1) === bearer(renewed);
    });
    expect(bearer(renewed)).not.toBe(bearer(old));
    expect(vault.tokens[0]).toBe(bearer(old));
  });

  it('is told why there is no credential, and sends nothing', async () => {
    const vault = await startVault();
    await expectRefusals('azure', async (resolver, key) =>
      vault.client(resolver, `${key}`).getSecret('database'),
    );
    expect(vault.tokens).toEqual([]);
  });
});
