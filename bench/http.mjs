/**
 * Throughput of the routes that start nothing, against a bare hono route with the same adapter, answer and JWT check:
 * `node bench/http.mjs [ROUNDS]`, after `npm run build`. What is compared takes turns, so that only ratios count.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getRequestListener } from '@hono/node-server';
import autocannon from 'autocannon';
import { Hono } from 'hono';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { createControllerHandler } from '../dist/http/controller.js';
import { serveHttp } from '../dist/http/server.js';
import { openAuditStore, openCredentialStore, preview } from '../dist/index.js';
import { describeHandlers } from '../dist/providers.js';
import { audience, startIssuer } from '../fixtures/loopback/issuer.mjs';

const request = {
  provider: 'aws',
  target_credential_key: 'idp:aws:prod',
  role_arn: 'arn:aws:iam::123456789012:role/deploy',
};
const env = {
  PATH: `${fileURLToPath(new URL('../fixtures/bin', import.meta.url))}:/usr/local/bin:/usr/bin:/bin`,
};
const secondsPerTurn = 1;

if (process.send) await serveBoth(JSON.parse(process.argv[2] ?? ''));
else await measure(Number(process.argv[2] ?? 10));

/** The servers, in a process of their own: those that are compared share its heap and its warmth. */
async function serveBoth({ home, issuer, jwks_url }) {
  const audit = await openAuditStore(`sqlite:${join(home, 'audit.sqlite')}`);
  const { persist } = await openCredentialStore(`file:${join(home, 'credentials')}`);
  const handler = createControllerHandler({ issuer, audience, jwks_url, audit, persist, env });
  const ours = await serveHttp(handler, '127.0.0.1', 0);

  const keys = createRemoteJWKSet(new URL(jwks_url));
  const answers = { handlers: describeHandlers(env), preview: await preview(request, { env }) };
  const bare = new Hono();
  bare.use(async (context, next) => {
    const token = context.req.header('authorization')?.slice('Bearer '.length) ?? '';
    await jwtVerify(token, keys, { issuer, audience, algorithms: ['ES256'] });
    await next();
  });
  bare.get('/cloud-cli/handlers', (context) => context.json(answers.handlers));
  bare.post('/cloud-cli/preview', async (context) => {
    await context.req.json();
    return context.json(answers.preview);
  });
  const server = createServer(getRequestListener(bare.fetch));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send?.({ ours: ours.url, bare: `http://127.0.0.1:${server.address().port}` });
  process.once('disconnect', () => process.exit(0));
}

async function measure(rounds) {
  const home = mkdtempSync(join(tmpdir(), 'cloud-cli-bench-'));
  const issuer = await startIssuer();
  const told = JSON.stringify({ home, issuer: issuer.url, jwks_url: issuer.jwks_url });
  const servers = fork(fileURLToPath(import.meta.url), [told]);
  const [urls] = await once(servers, 'message');
  const headers = {
    authorization: `Bearer ${await issuer.token({ exp: Math.floor(Date.now() / 1000) + 3600 })}`,
  };
  const routes = {
    'GET handlers': { path: '/cloud-cli/handlers', headers },
    'POST preview': {
      path: '/cloud-cli/preview',
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(request),
    },
  };
  const turn = async (url, { path, ...call }, duration) => {
    const result = await autocannon({ url: url + path, connections: 16, duration, ...call });
    if (result.non2xx + result.errors > 0) throw new Error(`${result.non2xx} failures at ${url}${path}`);
    return result.requests.total / result.duration;
  };
  try {
    const rates = Object.fromEntries(Object.keys(routes).map((name) => [name, { bare: [], ours: [] }]));
    for (let round = 0; round <= rounds; round += 1) {
      for (const [name, call] of Object.entries(routes)) {
        for (const side of round % 2 === 0 ? ['bare', 'ours'] : ['ours', 'bare']) {
          const rate = await turn(urls[side], call, secondsPerTurn);
          // The first round warms up.
          if (round > 0) rates[name][side].push(rate);
        }
      }
    }
    console.log('route         bare hono/s  cloud-cli/s  ratio');
    for (const [name, { bare, ours }] of Object.entries(rates)) {
      const ratio = median(ours.map((rate, index) => rate / bare[index]));
      const cells = [median(bare).toFixed(0).padStart(11), median(ours).toFixed(0).padStart(11)];
      console.log(`${name.padEnd(12)}  ${cells.join('  ')}  ${ratio.toFixed(2).padStart(5)}`);
    }
  } finally {
    servers.disconnect();
    await issuer.close();
    rmSync(home, { recursive: true, force: true });
  }
}

function median(values) {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)];
}
