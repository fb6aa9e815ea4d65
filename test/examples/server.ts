/** An example as its reader runs it: a process of its own on a port of loopback, in a fresh home, with stand-in CLIs. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { audience, startIssuer } from '../../fixtures/loopback/issuer.mjs';
import {
  type AuditStore,
  type CredentialStore,
  openAuditStore,
  openCredentialStore,
} from '../../src/index.js';
import { collect, fixturePath, freePort, type Ran, root, until } from '../support.js';

export const examples = ['express', 'fastify', 'nestjs', 'hono'] as const;
export type Example = (typeof examples)[number];

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of it
  body: any;
}

export interface Call {
  body?: unknown;
  claims?: Record<string, unknown>;
  /** Default a fresh one of the issuer; an empty one is not sent. */
  token?: string;
  signal?: AbortSignal;
}

export interface Server {
  call(path: string, call?: Call): Promise<Answer>;
  audit: AuditStore;
  store: CredentialStore;
  /** Asks it to end, as a process manager does. */
  terminate(): void;
  ended: Promise<Ran>;
  close(): Promise<void>;
}

/** What runs an example; the one in TypeScript is compiled first. */
function fileOf(example: Example): string {
  if (example !== 'nestjs') return join(root, 'examples', example, 'server.mjs');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', join(root, 'examples/nestjs')], { stdio: 'inherit' });
  return join(root, 'examples/nestjs/build/main.js');
}

export async function startExample(example: Example): Promise<Server> {
  const file = fileOf(example);
  const issuer = await startIssuer();
  const home = mkdtempSync(join(tmpdir(), 'cloud-cli-example-'));
  const port = await freePort();
  const child = spawn(process.execPath, [file], {
    cwd: home,
    env: {
      PATH: fixturePath,
      HOME: home,
      CLOUD_CLI_HOME: join(home, 'data'),
      PORT: String(port),
      CLOUD_CLI_JWT_ISSUER: issuer.url,
      CLOUD_CLI_JWT_AUDIENCE: audience,
      CLOUD_CLI_JWKS_URL: issuer.jwks_url,
    },
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const ended = collect(child);
  const listening = until(() => said.includes(`listening on http://127.0.0.1:${port}`));
  await Promise.race([listening, ended.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
  const audit = await openAuditStore(`sqlite:${join(home, 'data', 'audit.sqlite')}`);
  const store = await openCredentialStore(`file:${join(home, 'data', 'credentials')}`);
  return {
    audit,
    store,
    ended,
    terminate: () => void child.kill('SIGTERM'),
    call: async (path, { body, claims = {}, token, signal } = {}) => {
      const bearer = token ?? (await issuer.token(claims));
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        ...(body === undefined
          ? {}
          : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }),
        headers: {
          ...(bearer === '' ? {} : { authorization: `Bearer ${bearer}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(signal && { signal }),
      });
      const text = await response.text();
      const isJson = /json/.test(response.headers.get('content-type') ?? '');
      return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
    },
    close: async () => {
      child.kill('SIGKILL');
      await ended;
      await audit.close();
      await store.close();
      await issuer.close();
      rmSync(home, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
