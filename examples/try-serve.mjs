/**
 * Both sides of `cloud-cli serve` on this machine, with an issuer of its own: makes tokens by hand and shows what is answered
 * to whom. Vendor CLIs are the simulated ones of fixtures/, all is in a temporary home, and all is on loopback.
 *
 *   node examples/try-serve.mjs            # shows a session, and ends
 *   node examples/try-serve.mjs --stay     # prints what a shell needs to call it, and waits for you
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const root = fileURLToPath(new URL('..', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'cloud-cli-try-'));

// The issuer: one key, and a JWKS with its public half.
const { privateKey, publicKey } = await generateKeyPair('ES256');
const keys = [{ ...(await exportJWK(publicKey)), kid: 'try', alg: 'ES256', use: 'sig' }];
const issuer = createServer((_, response) => {
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
}).listen(0, '127.0.0.1');
await once(issuer, 'listening');
const issuerUrl = `http://127.0.0.1:${issuer.address().port}`;

/** An access token, as an OpenID Connect issuer would make it for an operator who authenticated this long ago. */
function token({ secondsAgo, scope = 'admin:cluster', minutes = 5 }) {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ scope, auth_time: now - secondsAgo })
    .setProtectedHeader({ alg: 'ES256', kid: 'try', typ: 'at+jwt' })
    .setIssuer(issuerUrl)
    .setAudience('cloud-cli')
    .setSubject('alice@example.com')
    .setIssuedAt(now)
    .setExpirationTime(now + minutes * 60)
    .sign(privateKey);
}

const env = {
  ...process.env,
  PATH: `${join(root, 'fixtures', 'bin')}:${process.env.PATH}`,
  CLOUD_CLI_HOME: home,
  CLOUD_CLI_JWT_ISSUER: issuerUrl,
  CLOUD_CLI_JWT_AUDIENCE: 'cloud-cli',
  // Plain http is taken on loopback alone.
  CLOUD_CLI_JWKS_URL: `${issuerUrl}/jwks.json`,
};
const sides = [];

/** Starts a side on a port of its own, and gives its URL once it listens. */
function serve(args, more = {}) {
  const command = [join(root, 'bin', 'cloud-cli.js'), 'serve', ...args, '--port', '0'];
  const child = spawn(process.execPath, command, {
    env: { ...env, ...more },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  sides.push(child);
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
      const url = /listening on (\S+)/.exec(said)?.[1];
      if (url) resolve(url);
    });
    child.once('exit', () => reject(new Error(said)));
  });
}

/** Calls the admin side, and shows it as one would type it. */
async function call(what, path, { bearer, body } = {}) {
  const url = `${admin}/admin/settings/credentials/cloud-cli/${path}`;
  const headers = {
    ...(bearer && { authorization: `Bearer ${bearer}` }),
    ...(body && { 'content-type': 'application/json' }),
  };
  const response = await fetch(url, { headers, ...(body && { method: 'POST', body: JSON.stringify(body) }) });
  console.log(
    `\n# ${what}\n${body ? 'POST' : 'GET'} ${path}\n${response.status} ${response.headers.get('www-authenticate') ?? ''}`.trimEnd(),
  );
  const answer = await response.json();
  console.log(JSON.stringify(answer, null, 2));
  return answer;
}

const controller = await serve(['controller', '--allow-all']);
const admin = await serve(['admin'], { CLOUD_CLI_CONTROLLER_URL: controller });
console.log(`issuer     ${issuerUrl}/jwks.json\ncontroller ${controller}\nadmin      ${admin}`);
const request = {
  provider: 'aws',
  target_credential_key: 'idp:aws:prod',
  role_arn: 'arn:aws:iam::123456789012:role/deploy',
};

try {
  if (process.argv.includes('--stay')) {
    const old = await token({ secondsAgo: 600, minutes: 60 });
    const fresh = await token({ secondsAgo: 0, minutes: 60 });
    console.log(`
# For another terminal: tokens for an hour, of an authentication ten minutes ago, and of now, which is fresh for three minutes
export ADMIN=${admin}/admin/settings/credentials/cloud-cli
export OLD_TOKEN=${old}
export TOKEN=${fresh}

# Ctrl-C ends it.`);
    await once(process, 'SIGINT');
  } else {
    await call('No token', 'preview', { body: request });
    await call('A token without the scope', 'preview', {
      body: request,
      bearer: await token({ secondsAgo: 0, scope: 'openid' }),
    });
    await call('An authentication of ten minutes ago: the step-up challenge', 'preview', {
      body: request,
      bearer: await token({ secondsAgo: 600 }),
    });
    const bearer = await token({ secondsAgo: 0 });
    const { run_id } = await call(
      'The operator has signed in again: a preview, which starts nothing',
      'preview',
      { body: request, bearer },
    );
    await call('A mint of exactly that', 'sts', {
      body: { ...request, run_id, reason: 'trying it' },
      bearer,
    });
    await call('Its row, for which an old authentication is enough', `runs/${run_id}`, {
      bearer: await token({ secondsAgo: 600 }),
    });
  }
} finally {
  // The admin side first: it would wait for a controller that is gone.
  for (const side of sides.reverse()) {
    side.kill('SIGTERM');
    await once(side, 'exit');
  }
  issuer.close();
  rmSync(home, { recursive: true });
}
