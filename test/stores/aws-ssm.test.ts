/** The store in AWS Parameter Store, through the real SDK, on a loopback server and, where it is installed, on moto. */
import { afterEach, describe, expect, it } from 'vitest';
import { CredentialKey } from '../../src/key.js';
import { openAwsSsmStore } from '../../src/stores/aws-ssm.js';
import { awsCredential, azureCredential, gcpCredential, opened, persist, storeContract } from './contract.js';
import { onMoto } from './loopback.js';
import { remoteSuite } from './remote.js';
import { ssm, ssmUrl } from './services.js';

const key = CredentialKey.parse('idp:aws:prod');

storeContract('aws-ssm on loopback', async () => {
  const { open, close } = await ssm();
  return { store: await open(), cleanup: async () => void (await close()) };
});

remoteSuite('aws-ssm', {
  permission: /ssm:PutParameter/,
  failing: {
    denied: /denies it \(AccessDeniedException, HTTP 400\)/,
    login: /login \(UnrecognizedClientException, HTTP 400\)/,
    throttled: /busy \(ThrottlingException, HTTP 400\)/,
    full: /takes no more \(ParameterLimitExceeded, HTTP 400\)/,
    key: /refused \(InvalidKeyId, HTTP 400\)/,
  },
  too_large: 8000,
});

onMoto('aws-ssm', (endpoint) => {
  storeContract('aws-ssm on moto', async () => ({
    store: await openAwsSsmStore(ssmUrl, { endpoint }),
    cleanup: async () => void (await fetch(`${endpoint}/moto-api/reset`, { method: 'POST' })),
  }));
});

describe('a parameter', () => {
  afterEach(() => {
    delete process.env.AWS_ENDPOINT_URL_SSM;
  });

  it('is a SecureString below the prefix, and tells what it is in its description', async () => {
    const { open, parameters, close } = await ssm();
    const credential = awsCredential(`${key}`);
    await persist(await open(), credential);
    const parameter = parameters.get('/cloud-cli/test/idp/aws/prod');
    expect(parameter).toMatchObject({ Type: 'SecureString', Tier: 'Standard' });
    const { expires_at, audit_run_id, source_identity } = credential;
    expect(parameter?.Description).toBe(`cloud-cli aws ${expires_at} ${audit_run_id} ${source_identity}`);
    await close();
  });

  it('is advanced above 4 KiB only, and can be replaced by a smaller one', async () => {
    const { open, parameters, close } = await ssm();
    const store = await open();
    await persist(store, { ...azureCredential(`${key}`), note: 'x'.repeat(4000) } as never);
    expect(parameters.get('/cloud-cli/test/idp/aws/prod')?.Tier).toBe('Advanced');
    const small = gcpCredential(`${key}`);
    await persist(store, small);
    expect(opened(await store.read(key))).toEqual(opened(small));
    await close();
  });

  it('is encrypted with the key that the URL names, at the endpoint that the environment names', async () => {
    const { url: endpoint, parameters, close } = await ssm();
    process.env.AWS_ENDPOINT_URL_SSM = endpoint;
    const store = await openAwsSsmStore(`${ssmUrl}&kms_key_id=alias/minter`);
    await persist(store, gcpCredential(`${key}`));
    expect(parameters.get('/cloud-cli/test/idp/aws/prod')?.KeyId).toBe('alias/minter');
    await close();
  });

  it('of another is neither listed nor described', async () => {
    const { open, parameters, close } = await ssm();
    const other = { Value: 'x', Description: 'by hand', Type: 'String', Version: 1, Tier: 'Standard' };
    for (const name of ['/cloud-cli/test/idp/aws/prod', '/cloud-cli/test/Not/a/key', '/cloud-cli/test/lone'])
      parameters.set(name, { Name: name, ...other });
    const store = await open();
    expect(await store.list()).toEqual([]);
    expect(await store.describe(key)).toBeUndefined();
    await expect(store.read(key)).rejects.toThrow(/is no credential of cloud-cli/);
    await close();
  });
});

describe('without a login', () => {
  it('says how to log in, and quotes nothing', async () => {
    const { open, close } = await ssm();
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    try {
      await expect((await open()).ready()).rejects.toMatchObject({
        code: 'persist_failed',
        message:
          "Parameter Store in eu-central-1 does not accept this host's login (CredentialsProviderError)",
        hint: expect.stringContaining('aws sts get-caller-identity'),
      });
    } finally {
      Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
      await close();
    }
  });
});
