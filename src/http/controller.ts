/** The controller: the HTTP side of the host that mints. `./http` of this package. */
/// <reference types="node" preserve="true" />

import { findBinary } from '../binary.js';
import type { CredentialMetadata } from '../credential.js';
import { CloudCliError, isCloudCliError } from '../errors.js';
import { Glance } from '../glance.js';
import { locate } from '../locate.js';
import { type MintOptions, mint } from '../mint.js';
import { monotonicMs } from '../monotonic.js';
import { checkRules } from '../policy.js';
import { previewBy } from '../preview.js';
import { describeHandlers } from '../providers.js';
import { listHandlers } from '../request.js';
import { runIdPattern } from '../run-id.js';
import { type Answer, json } from './answer.js';
import { controllerReadinessShape } from './answers.js';
import { type AppOptions, type Call, createApp, type HttpHandler, type Route } from './app.js';
import { readJson } from './body.js';
import { createMintMetrics, createRequestMetrics } from './metrics.js';
import { openApi } from './openapi.js';
import { Problem } from './problem.js';
import { createTokenVerifier, type TokenIssuer } from './token.js';

export type { AppOptions, HttpHandler } from './app.js';
export type { Log } from './log.js';
export { type ProblemAnswer, problemAnswer } from './problem.js';
export type { StepUp } from './step-up.js';
export type { TokenIssuer } from './token.js';

/** What mints, by the own options of `mint`; who may call, by the issuer's tokens. */
export interface ControllerOptions
  extends TokenIssuer,
    AppOptions,
    Pick<
      MintOptions,
      'audit' | 'persist' | 'ready' | 'stored' | 'policy' | 'handlers' | 'binaries' | 'env' | 'spawner'
    > {
  /** What the store holds, such as `store.list`, for the metric of leases. */
  credentials?: (() => Promise<CredentialMetadata[]>) | undefined;
  /** Mints at a time; default 32. Beyond, calls are answered 429. */
  max_in_flight?: number | undefined;
}

const base = '/cloud-cli';
const defaultMaxInFlight = 32;
/** Seconds after which a call that was shed may come again: about what a mint takes. */
const retrySeconds = 2;

/**
 * The controller, as a handler to mount in any server: `GET handlers`, `POST preview`, `POST sts` and
 * `GET runs/{audit_run_id}` below `/cloud-cli/`. Without `policy`, whoever has the scope may mint everything.
 * @throws CloudCliError `invalid_request` for rules that are none; TypeError for a `jwks_url` that is no URL
 */
export function createControllerHandler(options: ControllerOptions): HttpHandler {
  const { audit, policy, handlers, binaries, max_in_flight = defaultMaxInFlight } = options;
  const env = options.env ?? process.env;
  checkRules(policy);
  const tokens = createTokenVerifier(options);
  // A mint looks each time; what is only told may be a moment old.
  const located = new Glance<string | undefined>();
  const found = new Glance<ReturnType<typeof findBinary>>();
  const lookUp: typeof findBinary = (handler, at, pins, hashed) =>
    found.at(`${handler.name}:${at.PATH}`, () => findBinary(handler, at, pins, hashed));
  const list = () =>
    describeHandlers(env, handlers, (binary, path = '') =>
      located.at(`${binary}:${path}`, () => locate(binary, path)),
    );
  let inFlight = 0;
  const mints = createMintMetrics({
    in_flight: () => inFlight,
    head: async () => (await audit.head()).seq,
    credentials: options.credentials,
  });
  const requests = createRequestMetrics(mints.all);
  const providers = new Set(listHandlers(handlers).map(({ name }) => name));

  async function sts(call: Call): Promise<Answer> {
    const body = await readJson(call.request);
    if (inFlight >= max_in_flight) throw overloaded();
    const provider =
      typeof body.provider === 'string' && providers.has(body.provider) ? body.provider : 'unknown';
    const started = monotonicMs();
    let code = 'succeeded';
    inFlight += 1;
    try {
      const { persist, ready, stored, spawner } = options;
      const envelope = await mint(body, {
        audit,
        persist,
        ready,
        policy,
        binaries,
        env,
        actor: call.actor,
        signal: call.signal,
        traceparent: call.traceparent,
        ...(stored && { stored }),
        ...(handlers && { handlers }),
        ...(spawner && { spawner }),
      });
      call.noted.run_id = envelope.audit_run_id;
      return json(envelope);
    } catch (error) {
      code = isCloudCliError(error) ? error.code : 'internal';
      if (isCloudCliError(error) && error.audit_run_id) call.noted.run_id = error.audit_run_id;
      throw error;
    } finally {
      inFlight -= 1;
      mints.minted(provider, code, (monotonicMs() - started) / 1000);
    }
  }

  const routes: Route[] = [
    {
      method: 'GET',
      path: `${base}/handlers`,
      access: 'operator',
      answer: () => json(list()),
    },
    {
      method: 'POST',
      path: `${base}/preview`,
      access: 'step_up',
      answer: async ({ request, actor }) =>
        json(
          await previewBy(lookUp, await readJson(request), {
            env,
            policy,
            binaries,
            actor,
            ...(handlers && { handlers }),
          }),
        ),
    },
    { method: 'POST', path: `${base}/sts`, access: 'step_up', answer: sts },
    {
      method: 'GET',
      path: `${base}/runs/:id`,
      access: 'operator',
      answer: async ({ id }) => {
        const row = runIdPattern.test(id) ? await audit.get(id) : undefined;
        if (row) return json(row);
        throw new CloudCliError('not_found', 'the ledger has no such run', {
          hint: 'Take the audit_run_id of an envelope or of a failure.',
        });
      },
    },
    { method: 'GET', path: '/healthz', access: 'open', answer: () => json({ status: 'ok' }) },
    { method: 'GET', path: '/readyz', access: 'open', answer: readyz },
    { method: 'GET', path: '/metrics', access: 'open', answer: () => requests.scrape() },
    {
      method: 'GET',
      path: '/openapi.json',
      access: 'open',
      answer: () => json(openApi(base, { readiness: controllerReadinessShape, handlers })),
    },
  ];

  /** Which CLIs are there is told, but does not count: a controller may serve one cloud alone. */
  async function readyz(): Promise<Answer> {
    const ledger = await audit.ready().then(
      () => true,
      () => false,
    );
    const jwks = await tokens.ready();
    const binaries = Object.fromEntries(
      describeHandlers(env, handlers).map(({ binary, binary_present }) => [binary, binary_present]),
    );
    const isReady = ledger && jwks;
    return json({ status: isReady ? 'ok' : 'not_ready', ledger, jwks, binaries }, isReady ? 200 : 503);
  }

  return createApp(routes, tokens, requests, options);
}

function overloaded(): Problem {
  return new Problem(
    {
      code: 'rate_limited',
      message: 'as many mints as this host takes at a time are in flight',
      hint: 'Send the call again in a moment; nothing was started for it.',
      outcome: 'not_issued',
    },
    { headers: { 'Retry-After': String(retrySeconds) } },
  );
}
