/** A console for the page's tests: the real page and its policy, and an API that answers as a test wants. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import { onTestFinished } from 'vitest';
import { startIssuer } from '../../fixtures/loopback/issuer.mjs';
import type { WorkloadRun } from '../../src/audit/ledger.js';
import { stepUpChallenge } from '../../src/challenge.js';
import { isCloudCliError } from '../../src/errors.js';
import { contentSecurityPolicy, readAsset, renderPage } from '../../src/http/page.js';
import { preview } from '../../src/preview.js';
import { checkRequest, fieldsOf, listHandlers } from '../../src/request.js';

export const base = '/admin/settings/credentials/cloud-cli';

type Body = Record<string, unknown> & { run_id: string };

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body: unknown;
}

export interface Call {
  route: string;
  body: Body;
  token: string;
}

/** What the API does; a test may replace each part. */
export interface Script {
  /** Binaries that the control-plane host lacks. */
  missing: string[];
  allow: { actors?: string[]; identities?: string[] }[] | undefined;
  /** Tokens that are no longer taken. */
  refused: Set<string>;
  /** Tokens whose authentication counts as too old. */
  stale: Set<string>;
  /** A mint of a request that is well; a promise holds it, and `undefined` breaks the connection. */
  mint: (body: Body) => Answer | undefined | Promise<Answer | undefined>;
  /** Rows of the ledger, by run id. */
  rows: Map<string, unknown>;
  /** Answers any call in place of what is there. */
  instead: (route: string, body: Body) => Answer | undefined;
}

export async function startConsole({ client_id = 'console' }: { client_id?: string } = {}) {
  const issuer = await startIssuer();
  const calls: Call[] = [];
  const script: Script = {
    missing: [],
    allow: undefined,
    refused: new Set(),
    stale: new Set(),
    mint: (body) => ({ body: envelopeFor(body) }),
    rows: new Map(),
    instead: () => undefined,
  };
  const server = createServer(async (request, response) => {
    try {
      const { pathname } = new URL(request.url!, 'http://console');
      if (!pathname.startsWith(`${base}/`)) return response.writeHead(404).end();
      const name = pathname.slice(base.length + 1);
      if (name === '') return sendPage(response, issuer.url, client_id);
      if (name.startsWith('assets/')) return await sendAsset(response, name.slice('assets/'.length));
      const answer = await answerTo(name, request, script, calls);
      if (!answer) return response.destroy();
      const type = (answer.status ?? 200) < 400 ? 'application/json' : 'application/problem+json';
      response.writeHead(answer.status ?? 200, {
        'content-type': type,
        'cache-control': 'no-store',
        ...answer.headers,
      });
      return response.end(
        typeof answer.body === 'string' ? answer.body : JSON.stringify(withProblemMembers(answer)),
      );
    } catch (error) {
      return response.writeHead(500).end(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  issuer.signIn.clients.set('console', [`${origin}${base}/`]);
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(async () => {
    await close();
    await issuer.close();
  });
  return { url: `${origin}${base}/`, origin, issuer, calls, script, close };
}

export type Console = Awaited<ReturnType<typeof startConsole>>;

function sendPage(response: ServerResponse, issuer: string, client_id: string) {
  return response
    .writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': contentSecurityPolicy(issuer),
      'cache-control': 'no-store',
    })
    .end(renderPage({ base, issuer, client_id }));
}

async function sendAsset(response: ServerResponse, name: string) {
  const asset = await readAsset(name);
  if (!asset) return response.writeHead(404).end();
  return response
    .writeHead(200, {
      'content-type': asset.type,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
    .end(asset.body);
}

async function answerTo(
  route: string,
  request: IncomingMessage,
  script: Script,
  calls: Call[],
): Promise<Answer | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const body = (text === '' ? {} : JSON.parse(text)) as Body;
  const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
  calls.push({ route, body, token });
  const instead = script.instead(route, body);
  if (instead) return instead;
  if (token === '') return unauthorized('Bearer', 'invalid_token', 'no token');
  if (script.refused.has(token))
    return unauthorized('Bearer error="invalid_token"', 'invalid_token', 'the token has expired');
  const { auth_time, sub } = decodeJwt(token) as { auth_time: number; sub: string };
  if (request.method === 'POST' && (script.stale.has(token) || Date.now() / 1000 - auth_time > 181)) {
    const description = 'A more recent authentication is required';
    return unauthorized(
      stepUpChallenge({ max_age: 180, description }),
      'insufficient_user_authentication',
      description,
    );
  }
  const env = { PATH: '' };
  try {
    if (route === 'handlers') return { body: handlersBut(script.missing) };
    if (route === 'preview') {
      const shown = await preview(body, { env, policy: script.allow, actor: sub });
      if (script.missing.includes(shown.binary)) return { body: shown };
      const { problem: _, ...found } = shown;
      return { body: { ...found, binary_present: true, binary_path: `/usr/bin/${shown.binary}` } };
    }
    if (route === 'sts') {
      checkRequest(body);
      return await script.mint(body);
    }
    const row = script.rows.get(route.replace('runs/', ''));
    return row
      ? { body: row }
      : {
          status: 404,
          body: { code: 'not_found', message: 'the ledger has no such run', hint: 'Check the run id.' },
        };
  } catch (error) {
    if (!isCloudCliError(error)) throw error;
    return { status: 400, body: error.toJSON() };
  }
}

function handlersBut(missing: string[]) {
  return listHandlers().map((handler) => ({
    provider: handler.name,
    title: handler.title,
    binary: handler.binary,
    binary_present: !missing.includes(handler.binary),
    fields: fieldsOf(handler),
  }));
}

function unauthorized(challenge: string, code: string, message: string): Answer {
  return {
    status: 401,
    headers: { 'www-authenticate': challenge },
    body: { code, message, hint: 'Sign in again.' },
  };
}

function withProblemMembers({ status = 200, body }: Answer): unknown {
  if (status < 400) return body;
  const problem = body as { message?: string };
  return { type: 'about:blank', title: `Status ${status}`, status, detail: problem.message, ...problem };
}

export function envelopeFor(body: Body, seconds = 3600) {
  return {
    credential_key: body.target_credential_key,
    expires_at: new Date(Date.now() + seconds * 1000).toISOString(),
    source_identity: body.role_arn ?? body.service_account_email ?? '00000000-0000-0000-0000-000000000000',
    audit_run_id: body.run_id,
  };
}

/** A row as the ledger gives it. */
export function rowFor(body: Body, more: Partial<WorkloadRun> = {}): WorkloadRun {
  return {
    run_id: body.run_id,
    action: 'mint_cloud_credential',
    status: 'SUCCEEDED',
    provider: 'aws',
    credential_key: 'idp:aws:prod',
    source_identity: 'arn:aws:iam::123456789012:role/deploy',
    actor: 'alice@example.com',
    host: 'control-plane-1',
    reason: null,
    argv: [
      'aws',
      'sts',
      'assume-role',
      '--role-arn=arn:aws:iam::123456789012:role/deploy',
      '--external-id=****',
    ],
    binary_path: '/usr/bin/aws',
    timeout_seconds: 60,
    created_at: '2026-11-23T14:04:05.123Z',
    finished_at: '2026-11-23T14:04:07.456Z',
    duration_ms: 2333,
    expires_at: '2026-11-23T15:04:05.000Z',
    outcome: 'issued',
    live_until: '2026-11-23T15:04:05.000Z',
    error: null,
    session_name: `cloud-cli-${body.run_id}`,
    access_key_id: ['ASIA', 'EXAMPLEEXAMPLE00'].join(''),
    fingerprints: { session_token: 'sha256:0123456789abcdef' },
    request_digest: 'a'.repeat(64),
    traceparent: null,
    lease: null,
    ...more,
  };
}
