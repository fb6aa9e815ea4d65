/** What every route of both sides has around it: checks in their one order, problems, headers, a log line, an end. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Context, Hono } from 'hono';
import { monotonicMs } from '../monotonic.js';
import { type Answer, responseOf } from './answer.js';
import { CallSignal } from './call-signal.js';
import { type Log, noLog } from './log.js';
import type { RequestMetrics } from './metrics.js';
import { ownNames, requireOwnHost, requireOwnOrigin } from './origin.js';
import { Problem, problemOf } from './problem.js';
import { requireFresh, type StepUp } from './step-up.js';
import { requireScope, type TokenVerifier } from './token.js';
import { traceparentOf } from './trace-context.js';

/** One call of a route. */
export interface Call {
  request: Request;
  /** The `:id` of the route's path. */
  id: string;
  /** The `sub` of the operator's token; empty on an open route. */
  actor: string;
  request_id: string;
  traceparent: string | undefined;
  /** Aborts when the client is gone, or when a shutdown waits no longer. */
  readonly signal: AbortSignal;
  /** What the call's log line is to say besides, such as the run. */
  noted: Record<string, unknown>;
}

export interface Route {
  method: 'GET' | 'POST';
  path: string;
  /** Who may call: anyone, an operator with the scope, or one who has also authenticated just now. */
  access: 'open' | 'operator' | 'step_up';
  answer(call: Call): Promise<Answer> | Answer;
}

/** What both sides are told besides. */
export interface AppOptions extends StepUp {
  /** Names that this host goes by, besides those of loopback; without ports. */
  hosts?: readonly string[] | undefined;
  /** One line per call; default none. */
  log?: Log | undefined;
}

/** A handler to mount in any server. */
export interface HttpHandler {
  /** Answers one call. It never rejects: a failure is a response. */
  (request: Request): Promise<Response>;
  /**
   * For a shutdown: takes no new calls, lets those in progress end for `seconds` (default 70), then cancels them.
   * Resolves when all are answered.
   */
  drain(seconds?: number): Promise<void>;
}

/** Seconds that a drain waits: a vendor CLI may take 60. */
const drainSeconds = 70;
/** Seconds that what was cancelled may take to be answered. */
const settleSeconds = 10;

interface Progress {
  call: Call;
  ends: CallSignal;
  route: string;
  code?: string;
}

export function createApp(
  routes: readonly Route[],
  tokens: TokenVerifier,
  metrics: RequestMetrics,
  { hosts = [], log = noLog, ...stepUp }: AppOptions,
): HttpHandler {
  const names = ownNames(hosts);
  const inProgress = new Set<CallSignal>();
  let draining = false;
  const router = new Hono<{ Bindings: Progress }>();
  // One handler for each, and no more: hono calls a handler that is alone without the machinery of middleware.
  for (const route of routes) router.on(route.method, route.path, (context) => run(route, context));
  const patterns = routes.map((route) => ({ route, pattern: patternOf(route.path) }));
  router.notFound(({ req }) => {
    const others = patterns.filter(({ pattern }) => pattern.test(req.path)).map(({ route }) => route);
    if (others.length > 0) refuseMethod(others);
    throw new Problem({
      code: 'not_found',
      message: 'there is no such route',
      hint: 'GET /openapi.json lists the routes.',
    });
  });
  router.onError((error, { env }) => {
    const problem = endOf(error, env.call.request);
    env.code = problem.members.code;
    // One that the controller had is in the controller's log.
    if (problem.members.code === 'internal' && !(error instanceof Problem))
      log.error({ request_id: env.call.request_id, at: placeOf(error) }, 'a defect');
    return respond(problem.toAnswer(), env);
  });

  function respond(answer: Answer, { call }: Progress): Response {
    return responseOf(answer, {
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Request-Id': call.request_id,
      ...(draining ? { Connection: 'close' } : {}),
    });
  }

  async function run(route: Route, context: Context<{ Bindings: Progress }>): Promise<Response> {
    const { env } = context;
    const { call, ends } = env;
    env.route = route.path;
    call.id = context.req.param('id') ?? '';
    if (route.method === 'POST') requireOwnOrigin(call.request, names);
    if (route.access === 'open') return respond(await route.answer(call), env);
    if (draining) throw closing();
    inProgress.add(ends);
    try {
      const claims = await tokens.verify(call.request);
      call.actor = claims.sub;
      requireScope(claims);
      if (route.access === 'step_up') requireFresh(claims, stepUp);
      return respond(await route.answer(call), env);
    } finally {
      inProgress.delete(ends);
    }
  }

  const handle = async (request: Request): Promise<Response> => {
    const started = monotonicMs();
    const ends = new CallSignal(request);
    const call: Call = {
      request,
      id: '',
      actor: '',
      request_id: requestIdOf(request.headers),
      traceparent: traceparentOf(request.headers),
      get signal() {
        return ends.signal;
      },
      noted: {},
    };
    const progress: Progress = { call, ends, route: 'none' };
    const response = await answer(progress);
    const seconds = (monotonicMs() - started) / 1000;
    // A client that is gone sees no status; what is counted is that it went. Where nothing waited, none can have gone.
    const hasWaited = ends.isUsed || progress.code !== undefined;
    const status = hasWaited && request.signal.aborted ? 499 : response.status;
    metrics.observe({ method: request.method, route: progress.route, status, seconds });
    const level =
      progress.route.startsWith('/cloud-cli') || call.actor !== '' || status >= 400 ? 'info' : 'debug';
    log[level](
      {
        request_id: call.request_id,
        method: request.method,
        route: progress.route,
        status,
        duration_ms: Math.round(seconds * 1000),
        ...(call.actor === '' ? {} : { actor: call.actor }),
        ...(call.traceparent === undefined ? {} : { traceparent: call.traceparent }),
        ...(progress.code === undefined ? {} : { code: progress.code }),
        ...call.noted,
      },
      'answered',
    );
    return response;
  };

  /** The host comes before the route: a name that is not ours is told nothing, not even what there is. */
  async function answer(progress: Progress): Promise<Response> {
    try {
      requireOwnHost(progress.call.request, names);
      return await router.fetch(progress.call.request, progress);
    } catch (error) {
      const problem = problemOf(error);
      progress.code = problem.members.code;
      return respond(problem.toAnswer(), progress);
    }
  }

  return Object.assign(handle, {
    drain: async (seconds = drainSeconds) => {
      draining = true;
      await settled(inProgress, seconds);
      for (const ends of inProgress) ends.stop();
      await settled(inProgress, settleSeconds);
    },
  });
}

async function settled(inProgress: ReadonlySet<unknown>, seconds: number): Promise<void> {
  const end = monotonicMs() + seconds * 1000;
  while (inProgress.size > 0 && monotonicMs() < end) await sleep(20);
}

/** A cancelled call: to a client that is gone nobody answers, but one that waits is told that this host is leaving. */
function endOf(error: unknown, request: Request): Problem {
  const problem = problemOf(error);
  if (request.signal.aborted && problem.members.code === 'internal')
    return cancelledBy('the client is gone', 499);
  if (problem.members.code !== 'cancelled' || request.signal.aborted) return problem;
  return new Problem(problem.members, { status: 503, headers: { 'Retry-After': '5' } });
}

function cancelledBy(why: string, status: number): Problem {
  return new Problem(
    { code: 'cancelled', message: why, hint: 'Send the call again.', outcome: 'not_issued' },
    { status, headers: { 'Retry-After': '5' } },
  );
}

function closing(): Problem {
  return cancelledBy('this host is shutting down and takes no new calls', 503);
}

/** Which paths a route has, whatever the method. */
function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replace(':id', '[^/]+')}$`);
}

function refuseMethod(routes: readonly Route[]): never {
  const allowed = routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  throw new Problem(
    {
      code: 'method_not_allowed',
      message: `this route takes ${allowed.join(', ')}`,
      hint: 'GET /openapi.json lists the routes.',
    },
    { headers: { Allow: allowed.join(', ') } },
  );
}

/** The caller's own id, where it is one that a log can show. */
function requestIdOf(headers: Headers): string {
  const given = headers.get('x-request-id') ?? '';
  return /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/** Where an unknown error was thrown: its message could quote a secret, this cannot. */
function placeOf(error: Error): string {
  const line = error.stack?.split('\n').find((candidate) => candidate.trimStart().startsWith('at '));
  return line?.trim() ?? error.name;
}
