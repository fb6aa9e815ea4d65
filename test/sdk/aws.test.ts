/** The AWS SDK with minted credentials: signed requests to a loopback STS. */
import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { GetCallerIdentityCommand, STSClient, type STSClientConfig } from '@aws-sdk/client-sts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serve } from '../../fixtures/loopback/serve.mjs';
import type { AwsCredential } from '../../src/credential.js';
import { CredentialKey } from '../../src/key.js';
import { CredentialResolver } from '../../src/resolver.js';
import { awsCredentialProvider } from '../../src/sdk/aws.js';
import type { Resolver } from '../../src/sdk/of-provider.js';
import { counting, expectRefusals, newHost } from './host.js';

interface Call {
  method: string;
  url: URL;
  headers: IncomingHttpHeaders;
  body: string;
}

const answer =
  '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>' +
  '<Arn>arn:aws:sts::123456789012:assumed-role/deploy/session</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>';

async function startSts() {
  const server = await serve<Call>((call) => ({ call, reply: { type: 'text/xml', body: answer } }));
  onTestFinished(() => server.close());
  return server;
}

function clientOf(resolver: Resolver, key: string, endpoint: string) {
  const credentials: NonNullable<STSClientConfig['credentials']> = awsCredentialProvider(resolver, key);
  return new STSClient({ region: 'eu-west-1', endpoint, credentials, maxAttempts: 1 });
}

/** The request's signature made again with the credential's secret: Signature Version 4. */
function signatureWith(credential: AwsCredential, { method, url, headers, body }: Call): string {
  const [, date, region, service, names] =
    /Credential=\w+\/(\d+)\/([\w-]+)\/(\w+)\/aws4_request, SignedHeaders=([\w;-]+)/.exec(
      headers.authorization ?? '',
    ) ?? [];
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const signed = names!.split(';').map((name) => `${name}:${headers[name]}\n`);
  const canonical = [method, url.pathname, '', signed.join(''), names, hash(body)].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hash(canonical)].join('\n');
  const secret = `AWS4${credential.secret_access_key.reveal()}`;
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(
    (from, part) => hmac(from, part!),
    secret,
  );
  return hmac(key, text).toString('hex');
}

function expectSignedBy(credential: AwsCredential, call: Call): void {
  const { authorization } = call.headers;
  expect(authorization).toContain(`Credential=${credential.access_key_id.reveal()}/`);
  expect(call.headers['x-amz-security-token']).toBe(credential.session_token.reveal());
  expect(/Signature=(\w+)/.exec(authorization ?? '')?.[1]).toBe(signatureWith(credential, call));
}

describe('the AWS SDK', () => {
  it('signs with the minted credential, and asks the store once while it lives for long', async () => {
    const host = await newHost();
    const sts = await startSts();
    const minted = (await host.mint('aws', 3600)) as AwsCredential;
    const resolver = counting(host.resolver);
    const client = clientOf(resolver, 'idp:aws:prod', sts.url);
    for (let call = 0; call < 3; call += 1) {
      const { Arn } = await client.send(new GetCallerIdentityCommand({}));
      expect(Arn).toContain('assumed-role/deploy');
    }
    expect(resolver.calls).toBe(1);
    for (const call of sts.calls) expectSignedBy(minted, call);
  });

  it('signs with the renewed credential once the old one runs out', async () => {
    const host = await newHost();
    const sts = await startSts();
    const client = clientOf(host.resolver, 'idp:aws:prod', sts.url);
    // Less than the five minutes in which the SDK refreshes: it goes on with what there is.
    const old = (await host.mint('aws', 120)) as AwsCredential;
    await client.send(new GetCallerIdentityCommand({}));
    await client.send(new GetCallerIdentityCommand({}));
    const renewed = (await host.mint('aws', 3600)) as AwsCredential;
    await client.send(new GetCallerIdentityCommand({}));
    await host.store.remove(CredentialKey.parse('idp:aws:prod'));
    await client.send(new GetCallerIdentityCommand({}));
    const [first, second, third, fourth] = sts.calls;
    expect(renewed.access_key_id.reveal()).not.toBe(old.access_key_id.reveal());
    for (const call of [first!, second!]) expectSignedBy(old, call);
    for (const call of [third!, fourth!]) expectSignedBy(renewed, call);
  });

  it('asks once where a later store of the chain has a credential that outlives the window', async () => {
    const [near, far] = [await newHost(), await newHost()];
    const sts = await startSts();
    await near.mint('aws', 120);
    const minted = (await far.mint('aws', 3600)) as AwsCredential;
    const chain = new CredentialResolver([near.store, far.store], { min_remaining_seconds: 300 });
    const resolver = counting(chain);
    const client = clientOf(resolver, 'idp:aws:prod', sts.url);
    for (let call = 0; call < 2; call += 1) await client.send(new GetCallerIdentityCommand({}));
    expect(resolver.calls).toBe(1);
    for (const call of sts.calls) expectSignedBy(minted, call);
  });

  it('is told why there is no credential, and sends nothing', async () => {
    const sts = await startSts();
    await expectRefusals('aws', async (resolver, key) =>
      clientOf(resolver, `${key}`, sts.url).send(new GetCallerIdentityCommand({})),
    );
    expect(sts.calls).toEqual([]);
  });
});
