/** Credentials kept fresh by real processes, through stand-in vendor CLIs whose credentials live for seconds. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { WorkloadRun } from '../src/audit/ledger.js';
import { CredentialKey, CredentialResolver, isCloudCliError, openCredentialStore } from '../src/index.js';
import { backoffMs, type KeepEvent, renewalAt } from '../src/keep.js';
import {
  cloudCli,
  collect,
  fixturePath,
  freshEnvironment,
  requests,
  root,
  startCloudCli,
  temporaryDirectory,
  until,
} from './support.js';

/** How long the long test goes on: 3600 is an hour of expiries. Without it, four lifetimes. */
const given = process.env.KEEP_SECONDS;
const lifetime = 6;

const ms = { second: 1000, minute: 60_000, hour: 3_600_000 };

describe('the schedule', () => {
  it('renews where between a third and a quarter of the lifetime is left, each process at its own moment', () => {
    const expires = 10 * ms.hour;
    const left = (random: number) => expires - renewalAt(expires - ms.hour, expires, random);
    expect(left(0)).toBeCloseTo(20 * ms.minute);
    expect(left(1)).toBeCloseTo(15 * ms.minute);
    expect(new Set(Array.from({ length: 20 }, () => renewalAt(0, ms.hour))).size).toBeGreaterThan(10);
  });

  it.each([ms.minute, 15 * ms.minute, ms.hour, 12 * ms.hour])(
    'leaves six attempts at least before the expiry of a credential of %i ms, even at its slowest',
    (lifetime_ms) => {
      let at = renewalAt(0, lifetime_ms, 1);
      let attempts = 0;
      for (; at < lifetime_ms; attempts += 1) at += backoffMs(attempts + 1, 'nonzero_exit', lifetime_ms, 1);
      expect(attempts).toBeGreaterThanOrEqual(6);
    },
  );

  it('backs off from a second to five minutes at most, anywhere below, and never to nothing', () => {
    const slowest = [1, 2, 3, 50, 5000].map((failures) =>
      backoffMs(failures, 'timeout', Number.POSITIVE_INFINITY, 1),
    );
    expect(slowest).toEqual([1000, 2000, 4000, 5 * ms.minute, 5 * ms.minute]);
    expect(backoffMs(50, 'timeout', Number.POSITIVE_INFINITY, 0.5)).toBe(2.5 * ms.minute);
    expect(backoffMs(50, 'timeout', ms.hour, 0)).toBeGreaterThan(0);
  });

  it.each([0, 1])(
    'comes again in time, and seldom, to a vendor that hands out its cached token until five minutes before its end (%i)',
    (random) => {
      const expires = 75 * ms.minute;
      let at = 0;
      let mints = 0;
      for (; expires - at > 5 * ms.minute; mints += 1) at = renewalAt(at, expires, random);
      expect(at).toBeLessThan(expires - ms.minute);
      expect(mints).toBeLessThan(5);
    },
  );

  it('is slow from the first on where only an operator can help', () => {
    expect(backoffMs(1, 'policy_denied', Number.POSITIVE_INFINITY, 1)).toBe(5 * ms.minute);
    expect(backoffMs(1, 'invalid_request', ms.hour, 1)).toBe(ms.hour / 24);
  });
});

type Reported = Record<string, unknown> & { event: KeepEvent['event'] };

/** A home with targets, and vendor CLIs that can be switched off. */
function newHost(targets: Record<string, object>, more: NodeJS.ProcessEnv = {}) {
  const vendor = new Vendor();
  const env = freshEnvironment({
    PATH: `${vendor.path}:${fixturePath}`,
    FIXTURE_LIFETIME_SECONDS: String(lifetime),
    ...more,
  });
  const home = env.CLOUD_CLI_HOME!;
  mkdirSync(home, { mode: 0o700 });
  // In one piece, since a process that keeps reads it again and again.
  const configure = (config: object) => {
    writeFileSync(join(home, 'new.json'), JSON.stringify(config));
    renameSync(join(home, 'new.json'), join(home, 'config.json'));
  };
  configure({ targets });
  return {
    env,
    vendor,
    configure,
    keep: (...args: string[]) => startKeep(args, env),
    rows: async () =>
      JSON.parse(
        (await cloudCli(['audit', 'list', '--limit', '999999', '--json'], env)).stdout,
      ) as WorkloadRun[],
    resolver: async () =>
      new CredentialResolver([await openCredentialStore(`file:${join(home, 'credentials')}`)]),
  };
}

function startKeep(args: string[], env: NodeJS.ProcessEnv) {
  const child = startCloudCli(['keep', ...args, '--json'], env);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const events = () =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Reported);
  return {
    pid: child.pid!,
    /** What it reported so far; each line is one JSON document. */
    events,
    /** The first event of its kind, and of the target where one is named. */
    reports: (event: KeepEvent['event'], target?: string) =>
      until(() => events().find((one) => one.event === event && (target ?? one.target) === one.target)),
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    ended: collect(child),
  };
}

/** Puts shell scripts before the stand-ins, which are down, stuck, or fail every third call while a switch file is there. */
class Vendor {
  readonly path = temporaryDirectory();

  constructor() {
    for (const name of ['aws', 'az']) {
      const script = `#!/bin/sh
        fail() { echo 'An error occurred (ServiceUnavailable) when calling the operation' >&2; exit 255; }
        cd ${this.path} || exit 1
        [ -e down ] && fail
        while [ -e stuck ]; do sleep 0.1; done
        if [ -e flaky ]; then
          calls=$(($(cat calls-${name} 2>/dev/null || echo 0) + 1))
          echo $calls >calls-${name}
          [ $((calls % 3)) = 0 ] && fail
        fi
        mkdir busy-${name} || echo ${name} >>overlaps
        ${join(root, 'fixtures', 'bin', name)} "$@"
        code=$?
        rmdir busy-${name}
        exit $code`;
      writeFileSync(join(this.path, name), script, { mode: 0o755 });
    }
  }

  setDown(down: boolean): void {
    toggle(join(this.path, 'down'), down);
  }

  setStuck(stuck: boolean): void {
    toggle(join(this.path, 'stuck'), stuck);
  }

  setFlaky(flaky: boolean): void {
    toggle(join(this.path, 'flaky'), flaky);
  }

  /** Whether it was ever called while a call for the same target went on. */
  overlapped(): boolean {
    return existsSync(join(this.path, 'overlaps'));
  }
}

function toggle(file: string, on: boolean): void {
  if (on) writeFileSync(file, '');
  else rmSync(file, { force: true });
}

const keys = [new CredentialKey('idp', 'aws:prod'), new CredentialKey('idp', 'azure:prod')];

/** Resolves every key again and again for a while, and says how often that gave none that is valid. */
async function misses(
  resolver: CredentialResolver,
  forMs: number,
): Promise<{ looks: number; misses: string[] }> {
  const found = { looks: 0, misses: [] as string[] };
  const end = Date.now() + forMs;
  while (Date.now() < end) {
    for (const key of keys) {
      found.looks += 1;
      const missing = await missingAs(resolver, key);
      if (missing) found.misses.push(`${key} ${missing}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  return found;
}

async function missingAs(resolver: CredentialResolver, key: CredentialKey): Promise<string | undefined> {
  try {
    await resolver.resolve(key);
    return undefined;
  } catch (error) {
    if (isCloudCliError(error)) return error.code;
    throw error;
  }
}

function residentMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** Pairs of runs of one key of which the second began before the first had ended. */
function overlapping(rows: readonly WorkloadRun[]): [string, string][] {
  return keys.flatMap((key) => {
    const runs = rows
      .filter((row) => row.credential_key === key.toString())
      .toSorted((left, right) => (left.created_at < right.created_at ? -1 : 1));
    return runs
      .slice(1)
      .map((run, at): [WorkloadRun, WorkloadRun] => [runs[at]!, run])
      .filter(([first, second]) => first.finished_at === null || second.created_at < first.finished_at)
      .map(([first, second]): [string, string] => [first.run_id, second.run_id]);
  });
}

/**
 * Seconds that a credential must live, so that the quarter which is left at its renewal is time for a mint that fails, and
 * for another, on a machine as slow as this one is now.
 */
async function lifetimeHere(): Promise<number> {
  const { env } = newHost({ prod: requests.aws() });
  const began = performance.now();
  for (let mint = 0; mint < 2; mint += 1) expect((await cloudCli(['mint', 'prod'], env)).code).toBe(0);
  return Math.min(60, Math.max(lifetime, Math.ceil((12 * (performance.now() - began)) / ms.second)));
}

describe('cloud-cli keep', () => {
  it(
    'in two competing processes, through failures and an outage, never leaves an expired credential while the vendor answers, never mints a key twice at once, and does not grow',
    async () => {
      const lifetime = await lifetimeHere();
      const seconds = Number(given ?? 4 * lifetime);
      const host = newHost(
        { prod: requests.aws(), vault: requests.azure() },
        { FIXTURE_LIFETIME_SECONDS: String(lifetime) },
      );
      const began = Date.now();
      const both = [host.keep('prod', 'vault'), host.keep('prod', 'vault')];
      const resolver = await host.resolver();
      const served = () =>
        until(async () => {
          for (const key of keys) if (await missingAs(resolver, key)) return false;
          return true;
        });
      await served();
      host.vendor.setFlaky(true);
      const before = await misses(resolver, (seconds * ms.second) / 2);
      const first = both.map(({ pid }) => residentMegabytes(pid));

      host.vendor.setDown(true);
      for (const key of keys)
        await until(async () => (await missingAs(resolver, key)) === 'expired', (lifetime + 60) * ms.second);
      host.vendor.setDown(false);
      await served();
      const after = await misses(resolver, (seconds * ms.second) / 2);
      const last = both.map(({ pid }) => residentMegabytes(pid));

      for (const { kill } of both) kill('SIGTERM');
      const ended = await Promise.all(both.map(({ ended }) => ended));
      expect(ended.map(({ code, signal, stderr }) => [code, signal, stderr])).toEqual([
        [0, null, ''],
        [0, null, ''],
      ]);
      expect([...before.misses, ...after.misses]).toEqual([]);
      expect(Math.min(before.looks, after.looks)).toBeGreaterThan(20);

      const rows = await host.rows();
      expect(overlapping(rows)).toEqual([]);
      expect(host.vendor.overlapped()).toBe(false);
      expect(rows.filter(({ status }) => status === 'PENDING')).toEqual([]);
      const renewals = (Date.now() - began) / ms.second / lifetime;
      for (const key of keys) {
        const runs = rows.filter((row) => row.credential_key === key.toString());
        const succeeded = runs.filter(({ status }) => status === 'SUCCEEDED');
        expect(succeeded.length).toBeGreaterThan(renewals / 2);
        // One process alone renews after two thirds of the lifetime: two do not mint twice as much.
        expect(succeeded.length).toBeLessThan(2 * renewals + 1);
        expect(runs.length).toBeLessThan(8 * renewals + 40);
        expect(runs.length).toBeGreaterThan(succeeded.length);
      }
      const events = both.flatMap(({ events }) => events());
      const minted = events.filter(({ event }) => event === 'minted').map((event) => event.audit_run_id);
      const recorded = rows.filter(({ status }) => status === 'SUCCEEDED').map(({ run_id }) => run_id);
      expect(minted.toSorted()).toEqual(recorded.toSorted());
      expect(events.map(({ event }) => event)).toEqual(expect.arrayContaining(['kept', 'failed']));
      expect((await cloudCli(['audit', 'verify'], host.env)).code).toBe(0);

      for (const [at, size] of last.entries()) expect(size - first[at]!).toBeLessThan(48);
      if (given !== undefined)
        console.log({
          runs: rows.length,
          minted: minted.length,
          first,
          last,
          looks: before.looks + after.looks,
        });
    },
    Number(given ?? 0) * ms.second + 900_000,
  );

  it('has another process take over from one that was killed while it minted', async () => {
    const host = newHost({ prod: requests.aws() }, { FIXTURE_LIFETIME_SECONDS: '3600' });
    host.vendor.setStuck(true);
    const dying = host.keep('prod');
    await until(async () => (await host.rows()).length === 1);
    const other = host.keep('prod');
    expect(await other.reports('waiting')).toMatchObject({ target: 'prod', credential_key: 'idp:aws:prod' });
    dying.kill('SIGKILL');
    host.vendor.setStuck(false);
    const { audit_run_id } = await other.reports('minted');
    expect(other.events().map(({ event }) => event)).toEqual(['waiting', 'minted']);
    expect(await host.rows()).toMatchObject([
      { run_id: audit_run_id, status: 'SUCCEEDED' },
      { status: 'FAILED', error: { code: 'abandoned' } },
    ]);
  });

  it.each([
    ['SIGTERM', 0],
    ['SIGINT', 130],
  ] as const)(
    'ends on %s with status %i, the mint in flight cancelled and recorded',
    async (signal, status) => {
      const host = newHost(
        { prod: requests.aws('hanging'), vault: requests.azure() },
        { FIXTURE_LIFETIME_SECONDS: '3600' },
      );
      const kept = host.keep('prod', 'vault');
      await kept.reports('minted', 'vault');
      await until(async () => (await host.rows()).some(({ provider }) => provider === 'aws'));
      kept.kill(signal);
      const { code, stderr } = await kept.ended;
      expect([code, stderr]).toEqual([status, '']);
      const row = (await host.rows()).find(({ provider }) => provider === 'aws')!;
      expect(row).toMatchObject({ status: 'FAILED', error: { code: 'cancelled' } });
      expect(kept.events().slice(-2)).toMatchObject([
        { event: 'failed', code: 'cancelled', audit_run_id: row.run_id, next_attempt_at: null },
        { event: 'stopped' },
      ]);
    },
  );

  it('mints nothing where the stored credential has time, and says what it keeps', async () => {
    const host = newHost({ prod: requests.aws() }, { FIXTURE_LIFETIME_SECONDS: '3600' });
    const { stdout } = await cloudCli(['mint', 'prod', '--json'], host.env);
    const envelope = JSON.parse(stdout);
    const kept = host.keep('prod');
    const event = await kept.reports('kept');
    expect(event).toEqual({
      at: expect.any(String),
      event: 'kept',
      target: 'prod',
      ...envelope,
      next_attempt_at: expect.any(String),
    });
    const left = Date.parse(envelope.expires_at) - Date.parse(event.next_attempt_at as string);
    expect(left).toBeGreaterThan(14 * ms.minute);
    expect(left).toBeLessThan(21 * ms.minute);
    kept.kill('SIGTERM');
    await kept.ended;
    expect(await host.rows()).toHaveLength(1);
  });

  it('mints at its start, and once, over a credential of another request', async () => {
    const host = newHost({ prod: requests.aws() }, { FIXTURE_LIFETIME_SECONDS: '3600' });
    await cloudCli(['mint', 'prod'], host.env);
    host.configure({ targets: { prod: requests.aws('another') } });
    const kept = host.keep('prod');
    expect(await kept.reports('minted')).toMatchObject({ source_identity: requests.aws('another').role_arn });
    kept.kill('SIGTERM');
    await kept.ended;
    expect(await host.rows()).toHaveLength(2);
  });

  it('does not mint against a process that keeps another request under the same key', async () => {
    const host = newHost({});
    const both = ['deploy', 'another'].map((role) => {
      const config = join(host.env.HOME!, `${role}.json`);
      writeFileSync(config, JSON.stringify({ targets: { prod: requests.aws(role) } }));
      return startKeep(['prod'], { ...host.env, CLOUD_CLI_CONFIG: config });
    });
    await Promise.all(both.map(({ reports }) => reports('minted')));
    await new Promise((resolve) => setTimeout(resolve, 9.3 * ms.second));
    const succeeded = await until(async () => {
      const rows = (await host.rows()).filter(({ status }) => status === 'SUCCEEDED');
      return rows.length > 2 && rows;
    });
    // Each lives for five seconds at least, and is renewed when two thirds of that are gone: on a slow machine more fit in.
    const seconds = (Date.now() - Date.parse(succeeded.at(-1)?.created_at ?? '')) / ms.second;
    const renewals = Math.ceil(seconds / (5 * (2 / 3)));
    expect(new Set(succeeded.map(({ source_identity }) => source_identity)).size).toBe(2);
    expect(succeeded.length).toBeLessThanOrEqual(2 + renewals);
  });

  it('reports a target that its rules refuse, spawns and records nothing for it, keeps the others, and heals with the configuration', async () => {
    // Short-lived, so that even its slow retries come within seconds.
    const minter = { ...requests.gcp(), lifetime_seconds: 60 };
    const targets = { prod: requests.aws(), minter };
    const host = newHost(targets);
    host.configure({ targets, allow: [{ providers: ['aws'] }] });
    const kept = host.keep('prod', 'minter');
    expect(await kept.reports('failed')).toMatchObject({
      target: 'minter',
      credential_key: 'idp:gcp:prod',
      code: 'policy_denied',
      hint: expect.any(String),
      next_attempt_at: expect.any(String),
    });
    await kept.reports('minted', 'prod');
    expect((await host.rows()).map(({ provider }) => provider)).not.toContain('gcp');
    host.configure({ targets });
    await kept.reports('minted', 'minter');
  });

  it('goes on, and says why, while its configuration cannot be read', async () => {
    const targets = { prod: requests.aws() };
    const host = newHost(targets);
    const kept = host.keep('prod');
    await kept.reports('minted');
    host.configure({ targets, allow: 'nobody' });
    expect(await kept.reports('failed')).toMatchObject({
      code: 'invalid_request',
      issues: [{ field: 'allow', message: expect.any(String) }],
    });
    const { length } = kept.events();
    host.configure({ targets });
    await until(() =>
      kept
        .events()
        .slice(length)
        .some(({ event }) => event === 'minted'),
    );
  });

  it('writes one line per event for a person too', async () => {
    const host = newHost({ prod: requests.aws(), closed: requests.azure('denied') });
    const child = startCloudCli(['keep', 'prod', 'closed'], host.env);
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    const ended = collect(child);
    await until(() => / minted prod /.test(text) && / failed closed /.test(text));
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
    const at = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;
    const run = '[0-9a-f-]{36}';
    for (const line of text.trimEnd().split('\n')) expect(line).toMatch(new RegExp(`^${at} \\w+`));
    expect(text).toMatch(
      new RegExp(`^${at} minted prod idp:aws:prod expires=${at} run=${run} next=${at}$`, 'm'),
    );
    expect(text).toMatch(
      new RegExp(
        `^${at} failed closed idp:azure:prod run=${run} next=${at} nonzero_exit: .+ \\(hint: .+\\)$`,
        'm',
      ),
    );
    expect(text).toMatch(new RegExp(`^${at} stopped$`, 'm'));
  });

  it.each([
    ['a target that is not configured', ['prod', 'nowhere'], 'target'],
    ['two targets of one key', ['prod', 'again'], 'target'],
    ['no target', [], 'target'],
  ])('does not start with %s', async (_, names, field) => {
    const host = newHost({ prod: requests.aws(), again: requests.aws('another') });
    const { code, stdout, stderr } = await cloudCli(['keep', ...names, '--json'], host.env);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'invalid_request', issues: [{ field }] } });
    expect(stderr).toContain('cloud-cli: hint: ');
    expect(existsSync(join(host.env.CLOUD_CLI_HOME!, 'audit.sqlite'))).toBe(false);
  });

  it('refuses a target that names its run, whose second mint would answer with the first', async () => {
    const run_id = '01936b1e-4c00-7000-8000-000000000000';
    const host = newHost({ prod: { ...requests.aws(), run_id } });
    const kept = host.keep('prod');
    expect(await kept.reports('failed')).toMatchObject({
      code: 'invalid_request',
      issues: [{ field: 'run_id' }],
    });
    kept.kill('SIGTERM');
    await kept.ended;
    expect(await host.rows()).toEqual([]);
  });

  it('warns of nothing with more targets than Node expects listeners', async () => {
    const names = Array.from({ length: 12 }, (_, at) => `target-${at}`);
    const denied = (name: string) => ({ ...requests.gcp(), target_credential_key: `idp:gcp:${name}` });
    const targets = Object.fromEntries(names.map((name) => [name, denied(name)]));
    const host = newHost(targets);
    host.configure({ targets, allow: [{ providers: ['aws'] }] });
    const kept = host.keep(...names);
    await until(() => new Set(kept.events().map(({ target }) => target)).size === names.length);
    kept.kill('SIGTERM');
    expect((await kept.ended).stderr).toBe('');
  });
});

const systemd = spawnSync('systemd-analyze', ['--version']).status === 0;

describe('the systemd unit', () => {
  it.skipIf(!systemd)('is one that systemd-analyze verifies', () => {
    const unit = readFileSync(join(root, 'examples', 'cloud-cli-keep@.service'), 'utf8');
    const path = join(temporaryDirectory(), 'cloud-cli-keep@prod-eu.service');
    writeFileSync(path, unit.replace('/usr/local/bin/cloud-cli', join(dirname(process.execPath), 'node')));
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });
});
