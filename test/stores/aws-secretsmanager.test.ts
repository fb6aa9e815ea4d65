/** The store in AWS Secrets Manager, through the real SDK, on a loopback server and, where it is installed, on moto. */
import { startSecretsManager } from '../../fixtures/loopback/secretsmanager.mjs';
import { openAwsSecretsManagerStore } from '../../src/stores/aws-secretsmanager.js';
import type { RemoteOptions } from '../../src/stores/remote.js';
import { storeContract } from './contract.js';
import { onLoopback } from './loopback.js';
import { remoteSuite } from './remote.js';

const url = 'aws-secretsmanager:cloud-cli/test?region=eu-central-1';
const { aws_secret } = onLoopback();

async function start() {
  const server = await startSecretsManager();
  const open = (options?: RemoteOptions) =>
    openAwsSecretsManagerStore(url, { endpoint: server.url, ...options });
  return { ...server, open, secrets: [aws_secret] };
}

storeContract('aws-secretsmanager on loopback', async () => {
  const { open, close } = await start();
  return { store: await open(), cleanup: async () => void (await close()) };
});

remoteSuite('aws-secretsmanager', start, {
  permission: /secretsmanager:UpdateSecret/,
  failing: {
    denied: /denies it \(AccessDeniedException, HTTP 400\)/,
    login: /login \(UnrecognizedClientException, HTTP 400\)/,
    throttled: /busy \(ThrottlingException, HTTP 400\)/,
    full: /takes no more \(LimitExceededException, HTTP 400\)/,
  },
  too_large: 66_000,
  isWrite: ({ headers }) => /UpdateSecret|CreateSecret/.test(String(headers['x-amz-target'])),
});
