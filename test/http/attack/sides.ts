/** Both sides on real sockets with a real issuer, ledger and stand-in CLIs, and the promises that every refusal keeps. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Algorithm, audience, startIssuer } from '../../../fixtures/loopback/issuer.mjs';
import { createAdminHandler } from '../../../src/http/admin.js';
import { type ControllerOptions, createControllerHandler } from '../../../src/http/controller.js';
import type { Log } from '../../../src/http/log.js';
import { serveHttp } from '../../../src/http/server.js';
import { type AuditStore, openAuditStore, openCredentialStore } from '../../../src/index.js';
import { fixturePath, recorded, requests } from '../../support.js';
import { type Answer, type Call, send } from './wire.js';

export type Issuer = Awaited<ReturnType<typeof startIssuer>>;
export type LogLine = Record<string, unknown>;

export const sideNames = ['controller', 'admin side'] as const;
export type SideName = (typeof sideNames)[number];

interface Side {
  url: string;
  /** The path of a route, such as `sts`. */
  path(route: string): string;
  /** Lines of its log. */
  lines: LogLine[];
  close(): Promise<void>;
}

export interface Sides extends Record<SideName, Side> {
  issuer: Issuer;
  audit: AuditStore;
  home: string;
  /** Vendor processes that were started. */
  spawned(): number;
  close(): Promise<void>;
}

export interface SidesOptions
  extends Pick<ControllerOptions, 'max_in_flight' | 'hosts' | 'freshness_claim' | 'step_up_max_age_seconds'> {
  algorithms?: Algorithm[];
  env?: NodeJS.ProcessEnv;
}

const adminPath = (route: string) => `/admin/settings/credentials/cloud-cli/${route}`;

export async function startSides({ algorithms = ['ES256'], env = {}, ...options }: SidesOptions = {}) {
  const home = mkdtempSync(join(tmpdir(), 'cloud-cli-test-'));
  const issuer = await startIssuer({ algorithms });
  const audit = await openAuditStore(`sqlite:${join(home, 'audit.sqlite')}`);
  const store = await openCredentialStore(`file:${join(home, 'credentials')}`);
  const record = join(home, 'record');
  const trust = { issuer: issuer.url, audience, jwks_url: issuer.jwks_url, ...options };
  const lines: Record<SideName, LogLine[]> = { controller: [], 'admin side': [] };
  const controller = await serveHttp(
    createControllerHandler({
      ...trust,
      audit,
      persist: store.persist,
      env: { PATH: fixturePath, HOME: home, FIXTURE_RECORD: record, ...env },
      log: logTo(lines.controller),
    }),
    '127.0.0.1',
    0,
  );
  const admin = await serveHttp(
    createAdminHandler({ ...trust, controller_url: controller.url, log: logTo(lines['admin side']) }),
    '127.0.0.1',
    0,
  );
  const sides: Sides = {
    controller: { ...controller, path: (route) => `/cloud-cli/${route}`, lines: lines.controller },
    'admin side': {
      ...admin,
      path: adminPath,
      lines: lines['admin side'],
    },
    issuer,
    audit,
    home,
    spawned: () => recorded(record).length,
    close: async () => {
      for (const { close } of [admin, controller]) await Promise.all([close(), close()]);
      await Promise.all([issuer.close(), audit.close(), store.close()]);
      rmSync(home, { recursive: true, force: true, maxRetries: 10 });
    },
  };
  return sides;
}

/** The admin side alone, before a controller that a test plays. */
export async function startAdmin(controller_url: string, issuer: Issuer) {
  const lines: LogLine[] = [];
  const handler = createAdminHandler({
    issuer: issuer.url,
    audience,
    jwks_url: issuer.jwks_url,
    controller_url,
    log: logTo(lines),
  });
  const { url, close } = await serveHttp(handler, '127.0.0.1', 0);
  return { url, lines, close: () => Promise.all([close(), close()]), path: adminPath };
}

/** Both sides for the tests of one file. */
export function useSides(options?: SidesOptions): { readonly current: Sides } {
  let sides: Sides | undefined;
  beforeAll(async () => {
    sides = await startSides(options);
  });
  afterAll(() => sides?.close());
  return {
    get current() {
      return sides!;
    },
  };
}

export const bearer = (token: string): [string, string] => ['Authorization', `Bearer ${token}`];
export const jsonType: [string, string] = ['Content-Type', 'application/json'];
export const goodBody = JSON.stringify(requests.aws());

/** A call of a route of one side, good but for what the case wants otherwise. */
export async function call(
  sides: Sides,
  name: SideName,
  route: string,
  { token, headers, ...more }: Partial<Call> & { token?: string | undefined } = {},
): Promise<Answer> {
  const given = token ?? (await sides.issuer.token());
  const isPost = route === 'sts' || route === 'preview';
  return send(sides[name].url, {
    target: sides[name].path(route),
    headers: headers ?? [bearer(given), ...(isPost ? [jsonType] : [])],
    ...(isPost ? { body: goodBody } : {}),
    ...more,
  });
}

export interface Refusal {
  status: number;
  code: string;
  /** `WWW-Authenticate` to the letter; without it there must be none. */
  challenge?: string;
}

export const noToken: Refusal = { status: 401, code: 'invalid_token', challenge: 'Bearer' };
export const invalidToken = (why: string): Refusal => ({
  status: 401,
  code: 'invalid_token',
  challenge: `Bearer error="invalid_token", error_description="The access token was refused: ${why}"`,
});
export const stepUp = (max_age = 180): Refusal => ({
  status: 401,
  code: 'insufficient_user_authentication',
  challenge: `Bearer error="insufficient_user_authentication", error_description="A more recent authentication is required", max_age="${max_age}"`,
});
export const noScope: Refusal = {
  status: 403,
  code: 'insufficient_scope',
  challenge:
    'Bearer error="insufficient_scope", error_description="The access token lacks the scope admin:cluster", scope="admin:cluster"',
};
export const refusal = (status: number, code: string): Refusal => ({ status, code });

/** What a side may answer with; anything else would be somebody else's. */
const ownHeaders = new Set([
  'accept',
  'allow',
  'cache-control',
  'connection',
  'content-length',
  'content-type',
  'date',
  'retry-after',
  'www-authenticate',
  'x-content-type-options',
  'x-request-id',
]);

/** A problem as promised, and no member or header besides. */
export function expectProblem(answer: Answer, { status, code, challenge }: Refusal): void {
  const { headers, body } = answer;
  expect({
    status: answer.status,
    code: body?.code,
    type: headers.get('content-type'),
    cache: headers.get('cache-control'),
    challenge: headers.get('www-authenticate'),
  }).toEqual({
    status,
    code,
    type: 'application/problem+json',
    cache: 'no-store',
    challenge: challenge ?? null,
  });
  expect(body).toMatchObject({
    type: 'about:blank',
    title: expect.any(String),
    status,
    detail: body.message,
  });
  expect(body.hint).toMatch(/\S/);
  const members = ['type', 'title', 'status', 'detail', 'code', 'message', 'hint', 'issues', 'audit_run_id'];
  expect(Object.keys(body).filter((name) => ![...members, 'outcome', 'live_until'].includes(name))).toEqual(
    [],
  );
  expect([...headers.keys()].filter((name) => !ownHeaders.has(name))).toEqual([]);
}

/** Runs `work`, and holds that it started no vendor process and left no row. */
export async function withoutTrace<T>(sides: Sides, work: () => Promise<T>): Promise<T> {
  const before = [sides.spawned(), (await sides.audit.head()).seq];
  const result = await work();
  expect([sides.spawned(), (await sides.audit.head()).seq]).toEqual(before);
  return result;
}

/** Holds that a call is refused so, without a process or a row, and by the admin side without asking the controller. */
export async function expectRefused(
  sides: Sides,
  name: SideName,
  expected: Refusal,
  answer: () => Promise<Answer>,
  { passes = false } = {},
): Promise<Answer> {
  const asked = sides.controller.lines.length;
  const got = await withoutTrace(sides, answer);
  expectProblem(got, expected);
  if (name === 'admin side' && !passes) expect(sides.controller.lines.length).toBe(asked);
  return got;
}

function logTo(lines: LogLine[]): Log {
  const write = (members: object, message: string) => lines.push({ ...members, message });
  return { debug: write, info: write, error: write };
}
