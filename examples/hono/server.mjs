/** Hono: a route of your own that mints, and the controller and the admin side mounted beside it. */
import { mint, openAuditStore, openCredentialStore } from '@alphaswarm/cloud-cli';
import { createAdminHandler } from '@alphaswarm/cloud-cli/admin';
import { createControllerHandler, problemAnswer } from '@alphaswarm/cloud-cli/http';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
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

const app = new Hono();
// `all` and not `mount`, which cuts the path.
app.all('/cloud-cli/*', (context) => controller(context.req.raw));
app.all('/admin/settings/credentials/cloud-cli/*', (context) => admin(context.req.raw));

// Your own sign-in stands here; this one takes the issuer's tokens.
const keys = createRemoteJWKSet(new URL(jwks_url));
app.use('/credentials', async (context, next) => {
  const token = context.req.header('authorization')?.replace(/^Bearer /, '') ?? '';
  const verified = await jwtVerify(token, keys, { issuer, audience }).catch(() => undefined);
  if (!verified) return context.body(null, 401);
  context.set('actor', verified.payload.sub);
  return next();
});

app.post('/credentials', async (context) => {
  const { signal } = context.req.raw;
  const actor = context.get('actor');
  const request = await context.req.json().catch(() => {
    throw new HTTPException(400, { message: 'the body is no JSON' });
  });
  return context.json(await mint(request, { ...minting, actor, signal }));
});

app.onError((error, context) => {
  if ('getResponse' in error) return error.getResponse();
  const { status, headers, body } = problemAnswer(error);
  return context.newResponse(body, status, headers);
});

const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port }, () =>
  console.log(`listening on http://127.0.0.1:${port}`),
);

process.once('SIGTERM', async () => {
  // Waits for the calls of every route; `drain` ends those that take too long.
  const closed = new Promise((resolve) => server.close(resolve));
  await Promise.all([controller.drain(), admin.drain(), closed]);
  await store.close();
  await audit.close();
});
