/** Fastify: a route of your own that mints, and the controller and the admin side mounted beside it. */
import { isCloudCliError, mint, openAuditStore, openCredentialStore } from '@alphaswarm/cloud-cli';
import { createAdminHandler } from '@alphaswarm/cloud-cli/admin';
import { createControllerHandler, problemAnswer } from '@alphaswarm/cloud-cli/http';
import { getRequestListener } from '@hono/node-server';
import fastify from 'fastify';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const { env } = process;
const port = Number(env.PORT ?? 3000);
const home = env.CLOUD_CLI_HOME ?? 'data';
const issuer = env.CLOUD_CLI_JWT_ISSUER;
const audience = env.CLOUD_CLI_JWT_AUDIENCE;
const jwks_url = env.CLOUD_CLI_JWKS_URL;

const audit = await openAuditStore(`sqlite:${home}/audit.sqlite`);
const store = await openCredentialStore(`file:${home}/credentials`);
// Who may mint what, on the route below and on the mounted ones alike.
const policy = [{ actors: ['*@example.com'], keys: ['idp:*'] }];
const minting = { audit, persist: store.persist, ready: store.ready, policy };

const controller = createControllerHandler({ issuer, audience, jwks_url, ...minting });
// In production the controller is a process of the host that mints, and this names it.
const controller_url = `http://127.0.0.1:${port}`;
const admin = createAdminHandler({ issuer, audience, jwks_url, controller_url });

// A connection that falls idle in the middle of a shutdown holds it for so long; Fastify's own 72 seconds are many.
const app = fastify({ keepAliveTimeout: 5000 });

app.register(async (mounted) => {
  // In this scope alone nothing parses bodies: the handlers read those of their calls themselves.
  mounted.removeAllContentTypeParsers();
  mounted.addContentTypeParser('*', (_request, _body, done) => done(null));
  const mount = (path, handler) => {
    const listener = getRequestListener(handler);
    mounted.all(path, (request, reply) => {
      reply.hijack();
      listener(request.raw, reply.raw);
    });
  };
  mount('/cloud-cli/*', controller);
  mount('/admin/settings/credentials/cloud-cli', admin);
  mount('/admin/settings/credentials/cloud-cli/*', admin);
});

app.register(async (own) => {
  // Your own sign-in stands here; this one takes the issuer's tokens.
  const keys = createRemoteJWKSet(new URL(jwks_url));
  own.decorateRequest('actor', '');
  own.addHook('onRequest', async (request, reply) => {
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
    const verified = await jwtVerify(token, keys, { issuer, audience }).catch(() => undefined);
    if (!verified) return reply.code(401).send();
    request.actor = verified.payload.sub;
  });

  own.post('/credentials', async (request, reply) => {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    return mint(request.body, { ...minting, actor: request.actor, signal: gone.signal });
  });

  own.setErrorHandler((error, _request, reply) => {
    // What is no failure of a mint, such as a body that is no JSON, is Fastify's to answer.
    if (!isCloudCliError(error)) return reply.send(error);
    const { status, headers, body } = problemAnswer(error);
    reply.code(status).headers(headers).send(body);
  });
});

// `close` takes no new calls and waits for those of every route; `drain` ends those that take too long.
app.addHook('preClose', () => Promise.all([controller.drain(), admin.drain()]).then(() => {}));
app.addHook('onClose', async () => {
  await store.close();
  await audit.close();
});
process.once('SIGTERM', () => app.close());

await app.listen({ host: '127.0.0.1', port });
console.log(`listening on http://127.0.0.1:${port}`);
