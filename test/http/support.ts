import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { audience, startIssuer } from '../../fixtures/loopback/issuer.mjs';
import { type ControllerOptions, createControllerHandler } from '../../src/http/controller.js';
import { openAuditStore, openCredentialStore } from '../../src/index.js';
import { fixturePath, recorded, temporaryDirectory } from '../support.js';

export type Issuer = Awaited<ReturnType<typeof startIssuer>>;

export async function newIssuer(...algorithms: ('RS256' | 'PS256' | 'ES256' | 'EdDSA')[]): Promise<Issuer> {
  const issuer = await startIssuer(algorithms.length === 0 ? {} : { algorithms });
  onTestFinished(async () => {
    await issuer.close();
  });
  return issuer;
}

/** What a handler needs to know of an issuer. */
export const trust = (issuer: Issuer) => ({ issuer: issuer.url, audience, jwks_url: issuer.jwks_url });

/** A controller, called without a port in between. */
export async function newController(more: Partial<ControllerOptions> & { PATH?: string } = {}) {
  const { PATH = fixturePath, ...options } = more;
  const issuer = await newIssuer();
  const home = temporaryDirectory();
  const record = join(home, 'record');
  const audit = await openAuditStore(`sqlite:${join(home, 'audit.sqlite')}`);
  const store = await openCredentialStore(`file:${join(home, 'credentials')}`);
  const logged: Record<string, unknown>[] = [];
  const log = (members: object) => void logged.push({ ...members });
  const handler = createControllerHandler({
    ...trust(issuer),
    audit,
    persist: store.persist,
    ready: store.ready,
    stored: store.describe,
    credentials: store.list,
    env: { PATH, HOME: home, FIXTURE_RECORD: record },
    log: { debug: log, info: log, error: log },
    ...options,
  });
  return {
    issuer,
    home,
    audit,
    store,
    handler,
    logged,
    call: caller(handler, issuer, 'http://localhost/cloud-cli'),
    /** How many vendor processes were started. */
    spawned: () => recorded(record).length,
  };
}

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of it
  body: any;
}

/** Calls with a fresh token of the issuer, unless told; a body makes it a POST. */
export function caller(handler: (request: Request) => Promise<Response>, issuer: Issuer, base: string) {
  return async (
    path: string,
    { body, claims = {}, token, headers = {}, signal }: CallOptions = {},
  ): Promise<Answer> => {
    const authorization = `Bearer ${token ?? (await issuer.token(claims))}`;
    const response = await handler(
      new Request(path.startsWith('/') ? new URL(path, base) : `${base}/${path}`, {
        headers: { authorization, ...(body === undefined ? {} : json), ...headers },
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
        ...(signal && { signal }),
      }),
    );
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };
}

/** What the OpenAPI document says that a call to an open route was answered by: its schema, followed to where it stands. */
// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of it
export function documented(document: any, path: string, { status, headers }: Answer): any {
  const type = headers.get('content-type')!.split(';')[0]!;
  const { content } = document.paths[path].get.responses[status];
  const { schema } = content[type] ?? content['*/*'];
  return schema.$ref ? document.components.schemas[schema.$ref.split('/').at(-1)] : schema;
}

const json = { 'content-type': 'application/json' };

export interface CallOptions {
  body?: unknown;
  claims?: Record<string, unknown>;
  token?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}
