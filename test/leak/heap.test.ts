/**
 * What is left of a token in the memory of a process that minted it. A snapshot holds what can still be reached, by
 * anything: what only waits to be collected or overwritten, and what is in buffers, it does not show.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { audience } from '../../fixtures/loopback/issuer.mjs';
import { newIssuer } from '../http/support.js';
import {
  collect,
  fixturePath,
  freshEnvironment,
  providers,
  requests,
  root,
  temporaryDirectory,
  until,
} from '../support.js';
import { piecesIn, secretsIn } from './processes.js';

/** Without it V8 writes the beginning of a long string alone. */
const wholeStrings = '--heap-snapshot-string-limit=1000000';
const externalId = 'external-Id/of-the-Trust.policy';

/** Successes, and failures after the CLI has answered with a token. */
const asked = [
  ...providers.map((provider) => requests[provider]('wrong-identity')),
  ...providers.map((provider) => requests[provider]('leaky')),
  { ...requests.aws(), external_id: externalId },
  requests.gcp(),
  requests.azure(),
];

const canary = 'Canary7Qz5';
/** What the stand-ins make of it: the tokens of failures are in no store in which they could be looked up. */
const tokens = [`${canary}secret`, `${canary}session`, `ya29.c.${canary}`, `${canary}signature`];

/** The tokens in the heap of a host that minted. */
async function tokensIn(keep: boolean): Promise<string[]> {
  const home = temporaryDirectory();
  const options = JSON.stringify({ home, keep, canary, requests: asked });
  const child = spawn(process.execPath, [wholeStrings, join(root, 'test/leak/heap-host.mjs'), options], {
    env: { PATH: fixturePath },
  });
  const { code, stderr } = await collect(child);
  expect([code, stderr]).toEqual([0, '']);
  const heap = readFileSync(join(home, 'heap'), 'latin1');
  return tokens.filter((token) => heap.includes(token));
}

describe('the heap of a host that minted', () => {
  it('holds no token once the host lets go of it', async () => {
    expect(await tokensIn(false)).toEqual([]);
  });

  it('would show one: it does where the host keeps the credential', async () => {
    expect(await tokensIn(true)).toEqual(tokens);
  });
});

describe('the heap of a controller', () => {
  it('holds no token, and no secret of a request, a moment after it has answered', async () => {
    const issuer = await newIssuer();
    const env = freshEnvironment({
      CLOUD_CLI_JWT_ISSUER: issuer.url,
      CLOUD_CLI_JWT_AUDIENCE: audience,
      CLOUD_CLI_JWKS_URL: issuer.jwks_url,
    });
    const directory = env.HOME!;
    const child = spawn(
      process.execPath,
      [
        wholeStrings,
        '--heapsnapshot-signal=SIGUSR2',
        join(root, 'bin/cloud-cli.js'),
        ...['serve', 'controller', '--allow-all', '--port', '0'],
      ],
      { env, cwd: directory },
    );
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    let told = '';
    child.stderr.on('data', (chunk) => {
      told += chunk;
    });
    const url = await until(() => /listening on (\S+)/.exec(told)?.[1]);
    const own: string[] = [];
    for (const body of asked) {
      const token = await issuer.token();
      own.push(token);
      await fetch(`${url}/cloud-cli/sts`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          connection: 'close',
        },
        body: JSON.stringify(body),
      });
    }
    const secrets = await secretsIn(join(env.CLOUD_CLI_HOME!, 'credentials'));
    expect(secrets).toHaveLength(4);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    child.kill('SIGUSR2');
    const file = await until(() => readdirSync(directory).find((name) => name.endsWith('.heapsnapshot')));
    // It is written in pieces, and its last one closes the object.
    const heap = await until(() => {
      const text = readFileSync(join(directory, file), 'latin1');
      return text.trimEnd().endsWith('}') && text;
    }, 120_000);
    expect(heap).toContain(issuer.url);
    expect(piecesIn(heap, [...secrets, externalId])).toEqual([]);
    expect(piecesIn(heap, own)).toEqual([]);
  });
});
