/** Both sides as `cloud-cli serve` runs them: processes of their own, with their log on stderr. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { audience, startIssuer } from '../../../fixtures/loopback/issuer.mjs';
import { cloudCli, freshEnvironment, type Recorded, recorded, root, until } from '../../support.js';
import type { Issuer } from './sides.js';

export interface Server {
  url: string;
  child: ChildProcess;
  /** What it wrote to stderr so far. */
  stderr(): string;
  /** Its exit status, or the signal that ended it. */
  ended: Promise<number | NodeJS.Signals | null>;
}

export interface Host {
  issuer: Issuer;
  env: NodeJS.ProcessEnv;
  controller: Server;
  /** The controller itself where there is none. */
  admin: Server;
  /** Starts a controller on the same home, such as after the first one died. */
  startController(): Promise<Server>;
  rows(): Promise<Row[]>;
  /** The vendor processes that were started so far. */
  spawned(): Recorded[];
}

export interface Row {
  run_id: string;
  status: string;
  outcome: string | null;
  error: { code: string; message: string } | null;
}

/** A controller in a fresh home and, unless told, an admin side before it; they end with the test. */
export async function startHost(more: NodeJS.ProcessEnv = {}, withAdmin = true): Promise<Host> {
  const issuer = await startIssuer();
  onTestFinished(() => issuer.close().then(() => {}));
  const fresh = freshEnvironment(more);
  const record = join(fresh.HOME!, 'record');
  const env = {
    ...fresh,
    FIXTURE_RECORD: record,
    CLOUD_CLI_JWT_ISSUER: issuer.url,
    CLOUD_CLI_JWT_AUDIENCE: audience,
    CLOUD_CLI_JWKS_URL: issuer.jwks_url,
  };
  const startController = () => startServer(['controller', '--allow-all'], env);
  const controller = await startController();
  // The admin side works without a PATH, a vendor CLI or a home.
  const adminEnv = { ...env, PATH: '', HOME: '/nonexistent', CLOUD_CLI_HOME: '/nonexistent' };
  const admin = withAdmin
    ? await startServer(['admin'], { ...adminEnv, CLOUD_CLI_CONTROLLER_URL: controller.url })
    : controller;
  return {
    issuer,
    env,
    controller,
    admin,
    startController,
    rows: async () => JSON.parse((await cloudCli(['audit', 'list', '--json'], env)).stdout),
    spawned: () => recorded(record),
  };
}

async function startServer(args: string[], env: NodeJS.ProcessEnv): Promise<Server> {
  const command = [join(root, 'bin', 'cloud-cli.js'), 'serve', ...args, '--port', '0'];
  const child = spawn(process.execPath, command, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const url = await until(() => /listening on (\S+)\n/.exec(stderr)?.[1]);
  return { url, child, stderr: () => stderr, ended };
}

export const controllerPath = (route: string) => `/cloud-cli/${route}`;
export const adminPath = (route: string) => `/admin/settings/credentials/cloud-cli/${route}`;
