/** Express: a route of your own that mints, and the controller and the admin side mounted beside it. */
import { mint, openAuditStore, openCredentialStore } from '@alphaswarm/cloud-cli';
import { createAdminHandler } from '@alphaswarm/cloud-cli/admin';
import { createControllerHandler, problemAnswer } from '@alphaswarm/cloud-cli/http';
import { getRequestListener } from '@hono/node-server';
import express from 'express';
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

const app = express();
// Before any body parser: the handlers read the bodies of their calls themselves. `all` and not `use`, which cuts the path.
const [toController, toAdmin] = [getRequestListener(controller), getRequestListener(admin)];
app.all('/cloud-cli/*route', (request, response) => toController(request, response));
app.all('/admin/settings/credentials/cloud-cli{/*route}', (request, response) => toAdmin(request, response));

app.use(express.json());

// Your own sign-in stands here; this one takes the issuer's tokens.
const keys = createRemoteJWKSet(new URL(jwks_url));
app.use('/credentials', async (request, response, next) => {
  const token = request.get('authorization')?.replace(/^Bearer /, '') ?? '';
  const verified = await jwtVerify(token, keys, { issuer, audience }).catch(() => undefined);
  if (!verified) return response.sendStatus(401);
  response.locals.actor = verified.payload.sub;
  next();
});

app.post('/credentials', async (request, response) => {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const { actor } = response.locals;
  response.json(await mint(request.body, { ...minting, actor, signal: gone.signal }));
});

app.use('/credentials', (error, _request, response, _next) => {
  // What Express itself refused, such as a body that is no JSON.
  if (error.expose) return response.sendStatus(error.status);
  const { status, headers, body } = problemAnswer(error);
  response.status(status).set(headers).send(body);
});

const server = app.listen(port, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${port}`));

process.once('SIGTERM', async () => {
  // Waits for the calls of every route; `drain` ends those that take too long.
  const closed = new Promise((resolve) => server.close(resolve));
  await Promise.all([controller.drain(), admin.drain(), closed]);
  await store.close();
  await audit.close();
});
