/** `cloud-cli audit checkpoint` and `audit verify --head`, by the built command. */
import { once } from 'node:events';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serve } from '../../fixtures/loopback/serve.mjs';
import { verifyHead } from '../../src/audit/checkpoint.js';
import { readPublicKey } from '../../src/audit/checkpoint-key.js';
import { exitCodes } from '../../src/errors.js';
import { cloudCli, collect, flagsOf, freshEnvironment, requests, startCloudCli, until } from '../support.js';

const mintAws = ['mint', ...flagsOf(requests.aws())];

/** A home with a run in its ledger, a key, and a place for checkpoints. */
async function newHost() {
  const env = freshEnvironment();
  const [key, file] = ['audit.key', 'checkpoints.jws'].map((name) => join(env.HOME!, name)) as [
    string,
    string,
  ];
  expect((await cloudCli(mintAws, env)).code).toBe(0);
  const checkpoint = (...args: string[]) => cloudCli(['audit', 'checkpoint', '--key', key, ...args], env);
  expect((await checkpoint('--new-key', '--to', file)).code).toBe(0);
  return {
    env,
    key,
    file,
    checkpoint,
    ledger: join(env.CLOUD_CLI_HOME!, 'audit.sqlite'),
    verify: (...args: string[]) =>
      cloudCli(['audit', 'verify', '--head', file, '--public-key', `${key}.pub`, ...args], env),
    start: (...args: string[]) => {
      const child = startCloudCli(['audit', 'checkpoint', '--key', key, '--every', '1s', ...args], env);
      onTestFinished(() => void child.kill('SIGKILL'));
      return { child, ended: collect(child) };
    },
  };
}

describe('cloud-cli audit checkpoint', () => {
  it('makes a key that is its owner’s alone, and signs what a holder of the public key can verify', async () => {
    const { key, file, checkpoint, verify } = await newHost();
    expect([key, `${key}.pub`].map((name) => statSync(name).mode & 0o777)).toEqual([0o600, 0o644]);
    const { stdout } = await checkpoint();
    expect(await verifyHead(stdout.trim(), readPublicKey(`${key}.pub`))).toMatchObject({ seq: 3 });
    expect((await checkpoint('--to', file)).code).toBe(0);
    const { code, stdout: found } = await verify('--json');
    expect([code, JSON.parse(found)]).toEqual([
      0,
      expect.objectContaining({ ok: true, events: 3, checkpoint: expect.objectContaining({ seq: 3 }) }),
    ]);
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(2);
  });

  it('is found out by verify where the end was cut off, also when the ledger has grown and was signed again', async () => {
    const { env, file, ledger, checkpoint, verify } = await newHost();
    await cloudCli(mintAws, env);
    expect((await checkpoint('--to', file)).code).toBe(0);
    const db = new Database(ledger);
    db.exec('DROP TRIGGER event_is_not_deleted; DELETE FROM event WHERE seq > 4; DELETE FROM flight');
    db.close();
    expect((await cloudCli(['audit', 'verify'], env)).code).toBe(0);
    expect(await verify()).toMatchObject({
      code: exitCodes.audit_unavailable,
      stderr: expect.stringContaining('its end was cut off'),
    });
    for (let run = 0; run < 2; run += 1) await cloudCli(mintAws, env);
    expect((await checkpoint('--to', file)).code).toBe(0);
    expect(await verify()).toMatchObject({
      code: exitCodes.audit_unavailable,
      stderr: expect.stringContaining('the chain was replaced'),
    });
  });

  it('is refused by verify when any one line was not signed by the key', async () => {
    const { file, verify } = await newHost();
    const good = readFileSync(file, 'utf8').trim();
    const [header, payload, signature] = good.split('.');
    for (const bad of [
      `${header}.${payload}.`,
      `${header}.${payload}.AAAA${signature!.slice(4)}`,
      'half a li',
    ]) {
      writeFileSync(file, `${good}\n${bad}\n\n${good}\n`);
      expect(await verify()).toMatchObject({
        code: exitCodes.invalid_request,
        stderr: expect.stringContaining('checkpoint 2 of 3 is none that this key signed'),
      });
    }
  });

  it('goes on at each interval over a server that fails, until it is stopped as a service', async () => {
    const statuses = [403, 403];
    const server = await serve(({ body }) => ({
      call: body.trim(),
      reply: { status: statuses.shift() ?? 200 },
    }));
    onTestFinished(() => server.close());
    const { key, env, start } = await newHost();
    const { child, ended } = start('--to', `${server.url}/heads/open-sesame`);
    await until(() => server.calls.length >= 3);
    await cloudCli(mintAws, env);
    const publicKey = readPublicKey(`${key}.pub`);
    await until(async () => (await verifyHead(server.calls.at(-1)!, publicKey)).seq === 6);
    child.kill('SIGTERM');
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(0);
    // One may have come in the middle of the mint.
    expect(stdout).toMatch(/^(\S+ published seq=[3-6] hash=[0-9a-f]{64}\n)+$/);
    const [error, hint, ...more] = stderr.trim().split('\n');
    expect(error).toMatch(
      /^cloud-cli: error: audit_unavailable: the checkpoint was not published: http:\S+ answered 403 \(at \S+, next attempt at \S+\)$/,
    );
    expect([hint, more.length]).toEqual(['cloud-cli: hint: Check the URL, and the server behind it.', 2]);
    expect(stderr).not.toContain('sesame');
  });

  it('ends with 130 on Ctrl-C, and when nobody reads its output any more', async () => {
    const { start } = await newHost();
    const interrupted = start();
    await once(interrupted.child.stdout, 'data');
    interrupted.child.kill('SIGINT');
    expect(await interrupted.ended).toMatchObject({ code: 130, stderr: '' });
    const unread = start();
    unread.child.stdout.destroy();
    expect(await unread.ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('reports a ledger that was put in the place of the one that it signed', async () => {
    const { env, file, ledger, start } = await newHost();
    const backup = await newHost();
    await cloudCli(mintAws, env);
    const { child } = start('--to', file);
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    await until(() => readFileSync(file, 'utf8').trim().split('\n').length >= 2);
    for (const name of [`${ledger}-wal`, `${ledger}-shm`]) rmSync(name, { force: true });
    renameSync(backup.ledger, ledger);
    await until(() =>
      said.includes('the ledger ends at event 3, and does not go on from the checkpoint at 6'),
    );
    const lines = readFileSync(file, 'utf8');
    await until(() => said.split('error:').length > 2);
    expect(readFileSync(file, 'utf8')).toBe(lines);
  });
});
