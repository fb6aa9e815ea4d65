/** What `ps` and /proc show of our processes, and what they leave in the directory for temporary files. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { audience } from '../../fixtures/loopback/issuer.mjs';
import { mint, openAuditStore, openCredentialStore, openSpawnHelper } from '../../src/index.js';
import { newIssuer } from '../http/support.js';
import {
  cloudCli,
  collect,
  fixturePath,
  flagsOf,
  freshEnvironment,
  providers,
  requests,
  startCloudCli,
  until,
} from '../support.js';
import { below, piecesIn, type Seen, secretsIn, seenOf } from './processes.js';

const externalId = 'external-Id/of-the-Trust.policy';
const tokenCode = '918273';
const isLinux = process.platform === 'linux';

/** A home with room for the temporary files of a command. */
function newHome(more: NodeJS.ProcessEnv = {}) {
  const env = freshEnvironment(more);
  const temporary = join(env.HOME!, 'tmp');
  mkdirSync(temporary);
  env.TMPDIR = temporary;
  const directory = join(env.CLOUD_CLI_HOME!, 'credentials');
  return { env, directory, temporary: () => readdirSync(temporary), file: join(env.HOME!, 'external-id') };
}

function ends(child: ReturnType<typeof startCloudCli>): void {
  // Not by SIGKILL: it ends its vendor's process first.
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = collect(child);
    child.kill('SIGTERM');
    await ended;
  });
}

const shown = ({ cmdline, environ }: Seen) => `${cmdline}\n${environ}`;

describe.runIf(isLinux)('a secret of the request', () => {
  it('is in no command line and environment of ours but those that it was given by, and reaches the CLI by its flag', async () => {
    const home = newHome({ CLOUD_CLI_TOKEN_CODE: tokenCode });
    writeFileSync(home.file, `${externalId}\n`, { mode: 0o600 });
    const request = {
      ...requests.aws('hanging'),
      serial_number: 'arn:aws:iam::123456789012:mfa/operator',
      timeout_seconds: 20,
    };
    const child = startCloudCli(['mint', ...flagsOf(request), '--external-id-file', home.file], home.env);
    ends(child);
    const vendor = await until(() =>
      below(child.pid!).find(
        ({ cmdline }) => cmdline.includes('assume-role') && cmdline.includes('--role-arn'),
      ),
    );
    const own = seenOf(child.pid!);
    expect([own.cmdline.includes(externalId), own.cmdline.includes(tokenCode)]).toEqual([false, false]);
    expect(own.environ.includes(externalId)).toBe(false);
    expect(own.environ.split('\n').filter((line) => line.includes(tokenCode))).toEqual([
      `CLOUD_CLI_TOKEN_CODE=${tokenCode}`,
    ]);
    // The AWS CLI takes them in no other way; its environment has neither.
    expect(vendor.cmdline.split('\n')).toEqual(
      expect.arrayContaining([`--external-id=${externalId}`, `--token-code=${tokenCode}`]),
    );
    expect([vendor.environ.includes(externalId), vendor.environ.includes(tokenCode)]).toEqual([false, false]);
  });
});

describe.runIf(isLinux)('a minted token', () => {
  it('is in no command line and environment of exec, but in that of the command which it runs', async () => {
    const home = newHome();
    await cloudCli(['mint', ...flagsOf(requests.aws())], home.env);
    const secrets = await secretsIn(home.directory, ['aws']);
    expect(secrets).toHaveLength(2);
    const child = startCloudCli(['exec', 'idp:aws:prod', '--', 'sleep', '30'], home.env);
    ends(child);
    const command = await until(() => below(child.pid!).find(({ cmdline }) => cmdline.startsWith('sleep')));
    expect(piecesIn(shown(seenOf(child.pid!)), secrets)).toEqual([]);
    expect(piecesIn(command.cmdline, secrets)).toEqual([]);
    expect(piecesIn(command.environ, secrets)).toHaveLength(2);
  });

  it('is in no command line and environment of keep', async () => {
    const home = newHome();
    mkdirSync(home.env.CLOUD_CLI_HOME!, { mode: 0o700 });
    writeFileSync(
      join(home.env.CLOUD_CLI_HOME!, 'config.json'),
      JSON.stringify({ targets: Object.fromEntries(providers.map((name) => [name, requests[name]()])) }),
    );
    const child = startCloudCli(['keep', ...providers], home.env);
    ends(child);
    let told = '';
    child.stdout.on('data', (chunk) => {
      told += chunk;
    });
    await until(() => told.match(/ minted /g)?.length === providers.length);
    const secrets = await secretsIn(home.directory);
    expect(secrets).toHaveLength(4);
    for (const seen of [seenOf(child.pid!), ...below(child.pid!)])
      expect(piecesIn(shown(seen), secrets)).toEqual([]);
    expect(piecesIn(told, secrets)).toEqual([]);
    expect(home.temporary()).toEqual([]);
  });

  it('is in no command line and environment of a controller', async () => {
    const home = newHome();
    const issuer = await newIssuer();
    const child = startCloudCli(['serve', 'controller', '--allow-all', '--port', '0'], {
      ...home.env,
      CLOUD_CLI_JWT_ISSUER: issuer.url,
      CLOUD_CLI_JWT_AUDIENCE: audience,
      CLOUD_CLI_JWKS_URL: issuer.jwks_url,
    });
    ends(child);
    let told = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        told += chunk;
      });
    const url = await until(() => /listening on (\S+)/.exec(told)?.[1]);
    for (const provider of providers) {
      const response = await fetch(`${url}/cloud-cli/sts`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await issuer.token()}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          ...requests[provider](),
          ...(provider === 'aws' ? { external_id: externalId } : {}),
        }),
      });
      expect([provider, response.status]).toEqual([provider, 200]);
    }
    const secrets = [...(await secretsIn(home.directory)), externalId];
    expect(secrets).toHaveLength(5);
    for (const seen of [seenOf(child.pid!), ...below(child.pid!)])
      expect(piecesIn(shown(seen), secrets)).toEqual([]);
    expect(piecesIn(told, secrets)).toEqual([]);
    expect(home.temporary()).toEqual([]);
  });

  it('is in no command line and environment of a spawn helper', async () => {
    const home = newHome();
    const spawner = await openSpawnHelper();
    onTestFinished(() => spawner.close());
    const audit = await openAuditStore(`sqlite:${join(home.env.HOME!, 'audit.sqlite')}`);
    const store = await openCredentialStore(`file:${home.directory}`);
    const env = { PATH: fixturePath, HOME: home.env.HOME! };
    for (const provider of providers)
      await mint(requests[provider](), { audit, persist: store.persist, env, spawner });
    const helpers = below(process.pid).filter(({ cmdline }) => cmdline.includes('spawn-helper-process'));
    const secrets = await secretsIn(home.directory);
    expect(secrets).toHaveLength(4);
    for (const seen of [seenOf(process.pid), ...helpers]) expect(piecesIn(shown(seen), secrets)).toEqual([]);
  });
});

describe('the directory for temporary files', () => {
  it('is as it was, after a mint, after its failures, and after its end by SIGKILL', async () => {
    const home = newHome();
    await cloudCli(['mint', ...flagsOf(requests.aws())], home.env);
    await cloudCli(['mint', ...flagsOf(requests.gcp('leaky'))], home.env);
    const child = startCloudCli(['mint', ...flagsOf(requests.aws('hanging'))], home.env);
    const ended = collect(child);
    await until(() => below(child.pid!).some(({ cmdline }) => cmdline.includes('assume-role')));
    child.kill('SIGKILL');
    await ended;
    expect(home.temporary()).toEqual([]);
    // Whoever opens the ledger next ends what is left of the run.
    await cloudCli(['audit', 'list'], home.env);
    expect(home.temporary()).toEqual([]);
  });
});
