/** A minting process that dies by SIGKILL at any step leaves nothing half done, and the next command says the truth. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CredentialKey, CredentialResolver, openCredentialStore } from '../src/index.js';
import { cloudCli, collect, freshEnvironment, isAlive, recorded, requests, root, until } from './support.js';

const request = requests.aws('deploy');
const host = join(root, 'test', 'crash-host.mjs');

function start(step: string, env: NodeJS.ProcessEnv, asked: object = request) {
  return spawn(process.execPath, [host, step, env.CLOUD_CLI_HOME!, JSON.stringify(asked)], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** A home with an old credential, and the environment that marks the new one's secrets. */
async function homeWithOldCredential() {
  const env = freshEnvironment({ FIXTURE_CANARY: 'newcanary' });
  await collect(start('none', { ...env, FIXTURE_CANARY: 'oldcanary' }));
  return { env, record: join(env.HOME!, 'record') };
}

async function rowsAfter(env: NodeJS.ProcessEnv) {
  const { code, stdout, stderr } = await cloudCli(['audit', 'list', '--json'], env);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as {
    status: string;
    outcome: string | null;
    live_until: string | null;
    error: { code: string } | null;
  }[];
}

/** Which of the two credentials the store holds; anything but a whole one fails. */
async function stored(env: NodeJS.ProcessEnv): Promise<string> {
  const resolver = new CredentialResolver([
    await openCredentialStore(`file:${join(env.CLOUD_CLI_HOME!, 'credentials')}`),
  ]);
  const credential = await resolver.resolve(new CredentialKey('idp', 'aws:prod'));
  if (credential.provider !== 'aws') throw new Error('another provider');
  const parts = [credential.secret_access_key, credential.session_token].map(
    (part) => /(?:old|new)canary/.exec(part.reveal())?.[0],
  );
  expect(parts[0]).toBe(parts[1]);
  return parts[0]!;
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile());
}

function expectNoSecretOnDisk(env: NodeJS.ProcessEnv): void {
  const files = filesBelow(env.HOME!);
  expect(files.length).toBeGreaterThan(2);
  for (const file of files)
    expect([file, /(?:old|new)canary/.test(readFileSync(file, 'latin1'))]).toEqual([file, false]);
}

describe('a minting process killed', () => {
  it.each([
    ['before PENDING', 'oldcanary', undefined],
    ['after PENDING', 'oldcanary', 'unknown'],
    ['before ISSUED', 'oldcanary', 'unknown'],
    ['after ISSUED', 'oldcanary', 'issued'],
    ['before SUCCEEDED', 'newcanary', 'issued'],
  ])(
    '%s leaves one whole credential, no secret on disk, and a row that says what the cloud may hold',
    async (step, credential, outcome) => {
      const { env } = await homeWithOldCredential();
      expect((await collect(start(step, env))).signal).toBe('SIGKILL');
      expectNoSecretOnDisk(env);
      const rows = await rowsAfter(env);
      expect(rows).toHaveLength(outcome === undefined ? 1 : 2);
      if (outcome !== undefined) {
        expect(rows[0]).toMatchObject({ status: 'FAILED', outcome, error: { code: 'abandoned' } });
        expect(Date.parse(rows[0]!.live_until!)).toBeGreaterThan(Date.now());
      }
      expect(rows.filter(({ status }) => status === 'PENDING')).toEqual([]);
      expect(await stored(env)).toBe(credential);
      expectNoSecretOnDisk(env);
      expect((await cloudCli(['audit', 'verify'], env)).code).toBe(0);
    },
  );

  it('after SUCCEEDED has lost nothing but its answer', async () => {
    const { env } = await homeWithOldCredential();
    await collect(start('after SUCCEEDED', env));
    expect((await rowsAfter(env)).map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await stored(env)).toBe('newcanary');
  });

  it.each([0, 1, 3, 6, 10])('%i ms into persist leaves the old or the new credential whole', async (ms) => {
    const { env } = await homeWithOldCredential();
    expect((await collect(start(`${ms} ms into persist`, env))).signal).toBe('SIGKILL');
    expectNoSecretOnDisk(env);
    expect((await rowsAfter(env))[0]).toMatchObject({
      status: 'FAILED',
      outcome: 'issued',
      error: { code: 'abandoned' },
    });
    expect(['oldcanary', 'newcanary']).toContain(await stored(env));
  });

  it('during the spawn has its vendor process ended by the next command, and no other', async () => {
    const { env, record } = await homeWithOldCredential();
    const child = start('none', { ...env, FIXTURE_RECORD: record }, requests.aws('hanging'));
    const { pid } = await until(() => recorded(record)[0]);
    child.kill('SIGKILL');
    await collect(child);
    expect(isAlive(pid)).toBe(true);
    expect((await rowsAfter(env))[0]).toMatchObject({
      status: 'FAILED',
      outcome: 'unknown',
      error: { code: 'abandoned', message: expect.stringContaining('was ended') },
    });
    await until(() => !isAlive(pid));
    expect(await stored(env)).toBe('oldcanary');
    // The stand-in's own record holds the environment that the test gave it.
    rmSync(record);
    expectNoSecretOnDisk(env);
  });
});
