/** What many tests need: a fresh home, the stand-in vendor CLIs on PATH, the built command, sample requests. */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished, vi } from 'vitest';

export const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'bin', 'cloud-cli.js');

/** PATH with the stand-ins first, and node for them to run on. */
export const fixturePath = `${join(root, 'fixtures', 'bin')}:${dirname(process.execPath)}:/usr/bin:/bin`;

/** A directory that goes away with the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'cloud-cli-test-'));
  // A process that was killed may still put a file into it.
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }));
  return directory;
}

/** The environment of a command in a fresh home, with the stand-ins on PATH. */
export function freshEnvironment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const home = temporaryDirectory();
  return { PATH: fixturePath, HOME: home, CLOUD_CLI_HOME: join(home, 'cloud-cli'), ...more };
}

export interface Ran {
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

/** Runs the built `cloud-cli` to its end. */
export async function cloudCli(args: string[], env: NodeJS.ProcessEnv, input = ''): Promise<Ran> {
  const child = spawn(process.execPath, [bin, ...args], { env });
  // A command that ends without reading what it is given, as most do, closes the pipe: no failure of the test's.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return collect(child);
}

/** Starts the built `cloud-cli` and leaves it running. */
export function startCloudCli(args: string[], env: NodeJS.ProcessEnv) {
  return spawn(process.execPath, [bin, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What a child process wrote and how it ended. */
export function collect(child: ReturnType<typeof spawn>): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** A shell script as a command for a spawner, in a directory of its own, which it knows as $DIRECTORY. */
export function script<T extends object>(body: string, more?: T) {
  const directory = temporaryDirectory();
  const file = join(directory, 'tool');
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  const env = { PATH: '/usr/bin:/bin', DIRECTORY: directory };
  return { file, argv: [] as never[], env, timeout_seconds: 20, directory, ...more };
}

/** A call of a stand-in CLI, as it wrote it into the file that FIXTURE_RECORD names. */
export interface Recorded {
  argv: string[];
  env: Record<string, string>;
  pid: number;
  cwd: string;
  grandchild?: number;
}

/** The calls in that file so far; a line that is being written is not one yet. */
export function recorded(file: string): Recorded[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

/** Whether the process runs; one that ended and was not waited for yet does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits until `probe` gives something, by default for longer than the busiest machine needs. */
export async function until<T>(
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  ms = 60_000,
): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > end) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * A port on which nothing listens, and that the system gives to nobody of its own accord, as it does those of its range
 * (32768 and up) to each connection: who binds it later still finds it free.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 30_000);
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer().once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

/**
 * The clock of what this process is about to run, to let it run out once the scene is set: on a busy machine a second
 * goes by before a process has done anything.
 */
export function clockOf(timeout_seconds: number): { runOut(): Promise<void> } {
  const timers = vi.spyOn(globalThis, 'setTimeout');
  onTestFinished(() => timers.mockRestore());
  return {
    runOut: async () => {
      const [expire] = await until(() => timers.mock.calls.find(([, ms]) => ms === timeout_seconds * 1000));
      expire();
    },
  };
}

/** A request per provider, steered by `word`, the behaviour of the stand-in CLI. */
export const requests = {
  aws: (word = 'deploy') => ({
    provider: 'aws',
    target_credential_key: 'idp:aws:prod',
    role_arn: `arn:aws:iam::123456789012:role/${word}`,
  }),
  gcp: (word = 'minter') => ({
    provider: 'gcp',
    target_credential_key: 'idp:gcp:prod',
    // A service account's id has six characters at least; the stand-in reads past the number.
    service_account_email: `${word.length < 6 ? `${word}-00` : word}@my-project.iam.gserviceaccount.com`,
  }),
  azure: (word = 'vault') => ({
    provider: 'azure',
    target_credential_key: 'idp:azure:prod',
    resource: `https://${word}.example/`,
  }),
};

export type Provider = keyof typeof requests;
export const providers = Object.keys(requests) as Provider[];

/** A request as flags. */
export function flagsOf(request: Record<string, unknown>): string[] {
  return Object.entries(request).flatMap(([name, value]) => [
    `--${name.replaceAll('_', '-')}`,
    String(value),
  ]);
}
