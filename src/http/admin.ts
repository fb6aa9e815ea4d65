/** The admin back end's side (BFF): checks the operator and forwards to the one controller. `./admin` of this package. */
/// <reference types="node" preserve="true" />
import { newRunId, runIdPattern } from '../run-id.js';
import { type Answer, json } from './answer.js';
import { adminReadinessShape, envelopeShape, handlersShape, previewShape, rowShape } from './answers.js';
import { type AppOptions, type Call, createApp, type HttpHandler, type Route } from './app.js';
import { readJson } from './body.js';
import { createRequestMetrics } from './metrics.js';
import { openApi } from './openapi.js';
import { contentSecurityPolicy, readAsset, renderPage } from './page.js';
import { Problem } from './problem.js';
import { createTokenVerifier, type TokenIssuer } from './token.js';
import { createUpstream } from './upstream.js';

export type { AppOptions, HttpHandler } from './app.js';
export type { Log } from './log.js';
export type { StepUp } from './step-up.js';
export type { TokenIssuer } from './token.js';

/** Who may call, by the issuer's tokens, and the one controller that calls are forwarded to. */
export interface AdminOptions extends TokenIssuer, AppOptions {
  /** The controller's URL, without its routes: such as http://127.0.0.1:8081. */
  controller_url: string;
  /** The OpenID Connect client of the page; without it the page cannot sign in, and the routes work all the same. */
  oidc_client_id?: string | undefined;
}

const base = '/admin/settings/credentials/cloud-cli';
/** Seconds for the controller to answer a mint: the vendor CLI's 60, the store's 30, and what is between. */
const mintSeconds = 105;
const otherSeconds = 15;

/**
 * The admin side, as a handler to mount in any server: `GET handlers`, `POST preview`, `POST sts` and
 * `GET runs/{audit_run_id}` below `/admin/settings/credentials/cloud-cli/`, whose own path is the page. It spawns,
 * stores and holds nothing.
 * @throws TypeError for a `jwks_url` that is no URL
 */
export function createAdminHandler(options: AdminOptions): HttpHandler {
  const tokens = createTokenVerifier(options);
  const controller = createUpstream(options.controller_url);
  const requests = createRequestMetrics();
  const forwarded = ({ request, request_id, signal }: Call) => ({
    headers: request.headers,
    request_id,
    signal,
  });

  const routes: Route[] = [
    {
      method: 'GET',
      path: `${base}/handlers`,
      access: 'operator',
      answer: async (call) =>
        json(
          await controller.call({
            method: 'GET',
            path: '/cloud-cli/handlers',
            shape: handlersShape,
            seconds: otherSeconds,
            ...forwarded(call),
          }),
        ),
    },
    {
      method: 'POST',
      path: `${base}/preview`,
      access: 'step_up',
      answer: async (call) =>
        json(
          await controller.call({
            method: 'POST',
            path: '/cloud-cli/preview',
            body: await readJson(call.request),
            shape: previewShape,
            seconds: otherSeconds,
            ...forwarded(call),
          }),
        ),
    },
    {
      method: 'POST',
      path: `${base}/sts`,
      access: 'step_up',
      answer: async (call) => {
        const body = await readJson(call.request);
        // Named here where the caller names none, so that a mint whose answer is lost can be looked up.
        if (!Object.hasOwn(body, 'run_id')) body.run_id = newRunId();
        const run_id =
          typeof body.run_id === 'string' && runIdPattern.test(body.run_id) ? body.run_id : undefined;
        call.noted.run_id = run_id;
        return json(
          await controller.call({
            method: 'POST',
            path: '/cloud-cli/sts',
            body,
            shape: envelopeShape,
            seconds: mintSeconds,
            run_id,
            ...forwarded(call),
          }),
        );
      },
    },
    {
      method: 'GET',
      path: `${base}/runs/:id`,
      access: 'operator',
      answer: async (call) => {
        if (!runIdPattern.test(call.id))
          throw noSuch('run', 'Take the audit_run_id of an envelope or of a failure.');
        return json(
          await controller.call({
            method: 'GET',
            path: `/cloud-cli/runs/${call.id}`,
            shape: rowShape,
            seconds: otherSeconds,
            ...forwarded(call),
          }),
        );
      },
    },
    { method: 'GET', path: base, access: 'open', answer: page },
    { method: 'GET', path: `${base}/`, access: 'open', answer: page },
    {
      method: 'GET',
      path: `${base}/assets/:id`,
      access: 'open',
      answer: async ({ id }) => {
        const asset = await readAsset(id);
        if (!asset) throw noSuch('file of the page', 'The page names its own files.');
        return { body: asset.body, headers: { 'Content-Type': asset.type } };
      },
    },
    { method: 'GET', path: '/healthz', access: 'open', answer: () => json({ status: 'ok' }) },
    {
      method: 'GET',
      path: '/readyz',
      access: 'open',
      answer: async () => {
        const [isReachable, jwks] = await Promise.all([controller.ready(), tokens.ready()]);
        const isReady = isReachable && jwks;
        return json(
          { status: isReady ? 'ok' : 'not_ready', controller: isReachable, jwks },
          isReady ? 200 : 503,
        );
      },
    },
    { method: 'GET', path: '/metrics', access: 'open', answer: () => requests.scrape() },
    {
      method: 'GET',
      path: '/openapi.json',
      access: 'open',
      answer: () => json(openApi(base, { readiness: adminReadinessShape, page: true })),
    },
  ];
  return createApp(routes, tokens, requests, options);

  function page(): Answer {
    const { issuer, oidc_client_id: client_id } = options;
    return {
      body: renderPage({ base, issuer, client_id }),
      headers: {
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Security-Policy': contentSecurityPolicy(issuer),
        'Referrer-Policy': 'no-referrer',
      },
    };
  }
}

function noSuch(what: string, hint: string): Problem {
  return new Problem({ code: 'not_found', message: `there is no such ${what}`, hint });
}
