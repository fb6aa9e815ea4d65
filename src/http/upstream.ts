/** The one controller behind the admin side: a call with the operator's token, and its answer rebuilt by shape. */
import type * as z from 'zod';
import { parseChallenges, stepUpOf } from '../challenge.js';
import { joined } from '../joined.js';
import { problemShape } from './answers.js';
import { Problem, type ProblemMembers } from './problem.js';
import { stepUpNeeded } from './step-up.js';
import { invalidToken, scopeNeeded } from './token.js';

export interface UpstreamCall<S extends z.ZodType> {
  method: 'GET' | 'POST';
  /** Below the controller's own URL: one of its routes, never a caller's text. */
  path: string;
  body?: unknown;
  /** The shape of a success. */
  shape: S;
  /** The caller's headers, of which those that the controller needs are passed on. */
  headers: Headers;
  request_id: string;
  signal: AbortSignal;
  seconds: number;
  /** The run that a mint will have, known before it is sent. */
  run_id?: string | undefined;
}

export interface Upstream {
  /** @throws Problem the controller's own, or `upstream_unavailable` */
  call<S extends z.ZodType>(call: UpstreamCall<S>): Promise<z.output<S>>;
  /** Whether it answers. */
  ready(): Promise<boolean>;
}

const mostBytes = 1024 * 1024;
const passedOn = ['authorization', 'traceparent', 'tracestate'];

/** @param url the controller's, such as http://127.0.0.1:8081; what stands behind its host is kept */
export function createUpstream(url: string): Upstream {
  const target = (path: string) => new URL(`${new URL(url).pathname.replace(/\/+$/, '')}${path}`, url);
  return {
    call: async (call) => {
      const { response, text } = await send(target(call.path), call);
      if (response.status === 200) {
        const answer = call.shape.safeParse(parsed(text));
        if (answer.success) return answer.data;
        throw unavailable(call, 'its answer is not what it should be', true);
      }
      throw problemFrom(response, text, call);
    },
    ready: async () => {
      try {
        const signal = AbortSignal.timeout(3000);
        const response = await fetch(target('/healthz'), { signal, redirect: 'manual' });
        await response.body?.cancel();
        return response.status === 200;
      } catch {
        return false;
      }
    },
  };
}

async function send(url: URL, call: UpstreamCall<z.ZodType>): Promise<{ response: Response; text: string }> {
  const headers = new Headers({ accept: 'application/json', 'x-request-id': call.request_id });
  for (const name of passedOn) {
    const value = call.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  if (call.body !== undefined) headers.set('content-type', 'application/json');
  const clock = AbortSignal.timeout(call.seconds * 1000);
  try {
    const response = await fetch(url, {
      method: call.method,
      headers,
      redirect: 'manual',
      signal: joined(call.signal, clock),
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    });
    return { response, text: await readText(response) };
  } catch (error) {
    if (call.signal.aborted) throw cancelled(call);
    if (clock.aborted) throw unavailable(call, `it did not answer within ${call.seconds} seconds`, true);
    throw unavailable(call, 'the connection to it failed', wasSent(error));
  }
}

/** The answer's text, of bounded size. */
async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > mostBytes) throw new RangeError('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Failures from before a connection stood: the controller has seen nothing of the call. */
const unsent =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|CERT_\w+|ERR_TLS_\w+|ERR_SSL_\w+|SELF_SIGNED_\w+|DEPTH_ZERO_\w+|UNABLE_TO_\w+)$/;

function wasSent(error: unknown): boolean {
  const { code, errors } = ((error as Error).cause ?? {}) as {
    code?: unknown;
    errors?: { code?: unknown }[];
  };
  const codes = errors ? errors.map((each) => each.code) : [code];
  return !codes.every((each) => typeof each === 'string' && unsent.test(each));
}

/** The controller's problem, made anew: its headers and what else it says stay behind. */
function problemFrom(response: Response, text: string, call: UpstreamCall<z.ZodType>): Problem {
  const found = problemShape.safeParse(response.status >= 400 ? parsed(text) : undefined);
  if (!found.success) return unavailable(call, `it answered with status ${response.status}`, true);
  const members: ProblemMembers = found.data;
  switch (members.code) {
    case 'insufficient_user_authentication': {
      const asked = stepUpOf(parseChallenges(response.headers.get('www-authenticate')));
      return asked?.max_age === undefined
        ? unavailable(call, 'its step-up challenge cannot be read', false)
        : stepUpNeeded(asked.max_age);
    }
    case 'invalid_token':
      return invalidToken('the controller does not accept it');
    case 'insufficient_scope':
      return scopeNeeded();
    // It refuses what only this side can have sent, not the operator.
    case 'misdirected_request':
    case 'method_not_allowed':
    case 'forbidden_origin':
      return unavailable(call, `it answers ${members.code}`, false);
    case 'rate_limited':
      return new Problem(members, { headers: { 'Retry-After': retryAfter(response) } });
    case 'cancelled':
      return new Problem(members, { status: 503, headers: { 'Retry-After': '5' } });
    default:
      return new Problem(members);
  }
}

function retryAfter(response: Response): string {
  const given = response.headers.get('retry-after') ?? '';
  return /^\d{1,4}$/.test(given) ? given : '5';
}

/** What a call that may have begun has left behind is unknown only for a mint. */
function unavailable(call: UpstreamCall<z.ZodType>, why: string, isSent: boolean): Problem {
  const { run_id } = call;
  return new Problem({
    code: 'upstream_unavailable',
    message: `the controller cannot be used: ${why}`,
    hint:
      run_id !== undefined && isSent
        ? `The mint may go on there: look at run ${run_id} before you mint again.`
        : 'Check CLOUD_CLI_CONTROLLER_URL, and that the controller is up.',
    ...(run_id === undefined
      ? {}
      : isSent
        ? { audit_run_id: run_id, outcome: 'unknown' as const }
        : { outcome: 'not_issued' as const }),
  });
}

function cancelled({ run_id }: UpstreamCall<z.ZodType>): Problem {
  return new Problem({
    code: 'cancelled',
    message: 'the call was given up while the controller worked on it',
    hint: 'The controller cancels its run: look at it before you mint again.',
    ...(run_id === undefined ? {} : { audit_run_id: run_id, outcome: 'unknown' as const }),
  });
}
