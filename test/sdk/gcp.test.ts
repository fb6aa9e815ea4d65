/** Google's SDKs with minted credentials: bearer tokens to a loopback server. */
import { SecretManagerServiceClient } from '@google-cloud/secret-manager';
import { type AuthClient, OAuth2Client } from 'google-auth-library';
import { googleAuthLibrary } from 'google-gax';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serve } from '../../fixtures/loopback/serve.mjs';
import type { Credential, GcpCredential } from '../../src/credential.js';
import { gcpAuthClient } from '../../src/sdk/gcp.js';
import { counting, expectRefusals, newHost } from './host.js';

const secret = Buffer.from('a secret of the cloud').toString('base64');

async function startGoogle() {
  const server = await serve(({ url, headers }) => ({
    call: { path: url.pathname, authorization: headers.authorization },
    reply: { body: JSON.stringify({ payload: { data: secret } }) },
  }));
  onTestFinished(() => server.close());
  return server;
}

const bearer = (credential: Credential) => `Bearer ${(credential as GcpCredential).access_token.reveal()}`;

describe('google-auth-library', () => {
  it('sends the minted token, and asks the store once while it lives for long', async () => {
    const host = await newHost();
    const google = await startGoogle();
    const minted = await host.mint('gcp', 3600);
    const resolver = counting(host.resolver);
    const client: AuthClient = gcpAuthClient(resolver, 'idp:gcp:prod', OAuth2Client);
    for (let call = 0; call < 3; call += 1) await client.request({ url: google.url });
    expect(google.calls.map(({ authorization }) => authorization)).toEqual(Array(3).fill(bearer(minted)));
    expect(resolver.calls).toBe(1);
    expect(await client.getAccessToken()).toEqual({
      token: (minted as GcpCredential).access_token.reveal(),
    });
  });

  it('sends the renewed token once the old one runs out', async () => {
    const host = await newHost();
    const google = await startGoogle();
    const client = gcpAuthClient(host.resolver, 'idp:gcp:prod', OAuth2Client);
    // Less than the five minutes in which the SDK refreshes: it goes on with what there is.
    const old = await host.mint('gcp', 120);
    await client.request({ url: google.url });
    await client.request({ url: google.url });
    const renewed = await host.mint('gcp', 3600);
    await client.request({ url: google.url });
    expect(bearer(renewed)).not.toBe(bearer(old));
    expect(google.calls.map(({ authorization }) => authorization)).toEqual([old, old, renewed].map(bearer));
  });

  it('is told why there is no credential, and sends nothing', async () => {
    const google = await startGoogle();
    await expectRefusals('gcp', async (resolver, key) =>
      gcpAuthClient(resolver, key, OAuth2Client).request({ url: google.url }),
    );
    expect(google.calls).toEqual([]);
  });
});

describe('a client of Google Cloud', () => {
  it('sends the minted token, with the google-auth-library that it brings', async () => {
    const host = await newHost();
    const google = await startGoogle();
    const minted = await host.mint('gcp', 3600);
    const client = new SecretManagerServiceClient({
      authClient: gcpAuthClient(host.resolver, 'idp:gcp:prod', googleAuthLibrary.OAuth2Client),
      fallback: true,
      protocol: 'http',
      apiEndpoint: '127.0.0.1',
      port: Number(new URL(google.url).port),
    });
    const name = 'projects/my-project/secrets/database/versions/latest';
    const [version] = await client.accessSecretVersion({ name });
    await client.close();
    expect(version.payload?.data?.toString()).toBe('a secret of the cloud');
    expect(google.calls).toEqual([{ path: `/v1/${name}:access`, authorization: bearer(minted) }]);
  });
});
