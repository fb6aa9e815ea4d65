/**
 * An issuer to try the examples with, on loopback: `node examples/issuer.mjs`. It prints the settings of a server that
 * trusts it, and gives whoever asks a token of an operator who has just authenticated. For trying alone.
 */
import { createServer } from 'node:http';
import { audience, startIssuer } from '../fixtures/loopback/issuer.mjs';

const issuer = await startIssuer();
const tokens = createServer(async (_request, response) => response.end(await issuer.token()));
tokens.listen(Number(process.env.PORT ?? 3999), '127.0.0.1', () => {
  console.log(`export CLOUD_CLI_JWT_ISSUER=${issuer.url}`);
  console.log(`export CLOUD_CLI_JWT_AUDIENCE=${audience}`);
  console.log(`export CLOUD_CLI_JWKS_URL=${issuer.jwks_url}`);
  console.log(`export TOKEN_URL=http://127.0.0.1:${tokens.address().port}`);
});
