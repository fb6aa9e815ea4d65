/** What the live tests share: the real vendor CLIs, one mint through the built command, and a look for leaks. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { locate } from '../../src/locate.js';
import { cloudCli, root } from '../support.js';

/** This machine's PATH, without the stand-ins that a developer may have put there. */
export const path = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((directory) => !directory.startsWith(join(root, 'fixtures')))
  .join(delimiter);

/** Tests that need the vendor's CLI. Without it they are skipped; where CI can install it, they fail instead. */
export function describeLive(
  binary: string,
  { install, ciHasIt }: { install: string; ciHasIt: boolean },
  tests: () => void,
): void {
  const why = `${binary} is not on PATH; install it: ${install}`;
  const isMissing = locate(binary, path) === undefined;
  if (isMissing && ciHasIt && process.env.CI === 'true') {
    it(`the real ${binary} is here`, () => expect.fail(why));
  } else {
    describe.skipIf(isMissing)(isMissing ? `skipped: ${why}` : `with the real ${binary}`, tests);
  }
}

/** A server and a directory for a file's tests, gone after them. */
export function forAllTests<S extends { close(): Promise<unknown> }>(start: () => Promise<S>) {
  const lab = {} as { server: S; fresh(): string };
  const directories: string[] = [];
  beforeAll(async () => {
    lab.server = await start();
    lab.fresh = () => {
      const directory = mkdtempSync(join(tmpdir(), 'cloud-cli-live-'));
      directories.push(directory);
      return directory;
    };
  });
  afterAll(async () => {
    await lab.server.close();
    for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  });
  return lab;
}

export interface Minted {
  code: number | null;
  /** The envelope, or undefined. */
  envelope?: Record<string, string>;
  /** The failure, or undefined. */
  error?: Record<string, unknown> & { code: string; message: string; hint: string; audit_run_id: string };
  /** All that the command showed. */
  shown: string;
}

/** `cloud-cli mint --json`, in a fresh home below the vendor's own. */
export async function mintLive(
  request: Record<string, unknown>,
  vendor: { HOME: string } & Record<string, string>,
): Promise<Minted> {
  const env = { PATH: path, CLOUD_CLI_HOME: mkdtempSync(join(vendor.HOME, 'cloud-cli-')), ...vendor };
  const { code, stdout, stderr } = await cloudCli(['mint', '--json', ...flagsOf(request)], env);
  const answer = JSON.parse(stdout);
  return { code, shown: stdout + stderr, ...(answer.error ? { error: answer.error } : { envelope: answer }) };
}

function flagsOf(request: Record<string, unknown>): string[] {
  return Object.entries(request).flatMap(([name, value]) => [
    `--${name.replaceAll('_', '-')}`,
    ...(Array.isArray(value) ? value : [value]).map(String),
  ]);
}

/** A success: exactly the promised envelope, expiring within `seconds`. */
export function expectEnvelope({ code, envelope, shown }: Minted, about: object, seconds: number): string {
  expect([code, shown]).toEqual([0, expect.anything()]);
  expect(Object.keys(envelope!).sort()).toEqual([
    'audit_run_id',
    'credential_key',
    'expires_at',
    'source_identity',
  ]);
  expect(envelope).toMatchObject(about);
  expect(envelope!.expires_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/);
  const left = (Date.parse(envelope!.expires_at!) - Date.now()) / 1000;
  expect(left).toBeGreaterThan(seconds - 90);
  expect(left).toBeLessThanOrEqual(seconds + 5);
  return envelope!.audit_run_id!;
}

const exits: Record<string, number> = { nonzero_exit: 5, timeout: 7 };

/** A failure of the promised code and exit status, with a hint that names the fix. */
export function expectFailure(
  { code, error, envelope }: Minted,
  promised: { code: string; outcome: string; hint: RegExp; message?: RegExp },
): void {
  expect(envelope).toBeUndefined();
  expect([error!.code, code, error!.outcome]).toEqual([
    promised.code,
    exits[promised.code],
    promised.outcome,
  ]);
  expect(error!.hint).toMatch(promised.hint);
  if (promised.message) expect(error!.message).toMatch(promised.message);
}

/** What the cloud issued is nowhere: not in what was shown, and in no file below the home. */
export function expectNowhere(secrets: string[], { shown }: Minted, home: string): void {
  expect(secrets.length).toBeGreaterThan(0);
  const texts = [
    ['what was shown', shown],
    ...filesBelow(home).map((file) => [file, readFileSync(file, 'latin1')]),
  ];
  const leaks = texts.filter(([, text]) => secrets.some((secret) => text!.includes(secret)));
  expect(leaks.map(([where]) => where)).toEqual([]);
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
}

/** Ids of the processes that still carry a run's mark; empty off Linux, where nothing can be read of them. */
export function survivorsOf(run_id: string): string[] {
  const mark = `CLOUD_CLI_RUN_ID=${run_id}`;
  try {
    return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && environmentOf(pid).includes(mark));
  } catch {
    return [];
  }
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
