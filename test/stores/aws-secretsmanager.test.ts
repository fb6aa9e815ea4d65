/** The store in AWS Secrets Manager, through the real SDK, on a loopback server and, where it is installed, on moto. */
import { describe, expect, it } from 'vitest';
import { CredentialKey } from '../../src/key.js';
import { openAwsSecretsManagerStore } from '../../src/stores/aws-secretsmanager.js';
import { gcpCredential, opened, persist, storeContract } from './contract.js';
import { onMoto } from './loopback.js';
import { remoteSuite } from './remote.js';
import { secretsManager, secretsManagerUrl } from './services.js';

const key = CredentialKey.parse('idp:aws:prod');
const name = 'cloud-cli/test/idp/aws/prod';

storeContract('aws-secretsmanager on loopback', async () => {
  const { open, close } = await secretsManager();
  return { store: await open(), cleanup: async () => void (await close()) };
});

remoteSuite('aws-secretsmanager', {
  permission: /secretsmanager:UpdateSecret/,
  failing: {
    denied: /denies it \(AccessDeniedException, HTTP 400\)/,
    login: /login \(UnrecognizedClientException, HTTP 400\)/,
    throttled: /busy \(ThrottlingException, HTTP 400\)/,
    full: /takes no more \(LimitExceededException, HTTP 400\)/,
  },
  too_large: 66_000,
});

onMoto('aws-secretsmanager', (endpoint) => {
  storeContract('aws-secretsmanager on moto', async () => ({
    store: await openAwsSecretsManagerStore(secretsManagerUrl, { endpoint }),
    cleanup: async () => void (await fetch(`${endpoint}/moto-api/reset`, { method: 'POST' })),
  }));
});

describe('a secret', () => {
  it('is below the prefix, encrypted with the key that the URL names, and tells what it is in its description', async () => {
    const { url: endpoint, secrets, calls, close } = await secretsManager();
    const store = await openAwsSecretsManagerStore(`${secretsManagerUrl}&kms_key_id=alias/minter`, {
      endpoint,
    });
    const credential = gcpCredential(`${key}`);
    await persist(store, credential);
    const { expires_at, audit_run_id, source_identity } = credential;
    expect(secrets.get(name)?.Description).toBe(
      `cloud-cli gcp ${expires_at} ${audit_run_id} ${source_identity}`,
    );
    expect(JSON.parse(calls.at(-1)!.body)).toMatchObject({ KmsKeyId: 'alias/minter' });
    await close();
  });

  it('that is scheduled for deletion is not there, and is brought back by a persist', async () => {
    const { open, secrets, close } = await secretsManager();
    const store = await open();
    await persist(store, gcpCredential(`${key}`));
    secrets.get(name)!.DeletedDate = Date.now() / 1000;
    expect(await store.read(key)).toBeUndefined();
    expect(await store.describe(key)).toBeUndefined();
    expect(await store.list()).toEqual([]);
    expect(await store.remove(key)).toBe(false);
    const credential = gcpCredential(`${key}`);
    await persist(store, credential);
    expect(opened(await store.read(key))).toEqual(opened(credential));
    await close();
  });

  it('is kept though its name was on its way out when it was made', async () => {
    const { open, secrets, close } = await secretsManager();
    const store = await open();
    await persist(store, gcpCredential(`${key}`));
    const leaving = secrets.get(name)!;
    leaving.DeletedDate = Date.now() / 1000;
    // It cannot be brought back, and is gone when it has been looked at some times.
    let looks = 0;
    const get = () => {
      looks += 1;
      if (looks === 3) secrets.delete(name);
      return 1;
    };
    Object.defineProperty(leaving, 'DeletedDate', { get, set: () => {} });
    const credential = gcpCredential(`${key}`);
    await persist(store, credential);
    expect(opened(await store.read(key))).toEqual(opened(credential));
    await close();
  });

  it('is replaced once, though the answer to it was lost', async () => {
    const { open, be, secrets, close } = await secretsManager();
    const store = await open();
    await persist(store, gcpCredential(`${key}`));
    be('lost', { times: 2, only: ({ headers }) => /UpdateSecret/.test(String(headers['x-amz-target'])) });
    await persist(store, gcpCredential(`${key}`));
    expect(secrets.get(name)?.versions.size).toBe(2);
    await close();
  });
});
