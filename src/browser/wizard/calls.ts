/** The four calls of the API: each gives its answer, or a failure that can be shown. */
import type { Issue, Outcome } from '../../errors.js';
import type { EnvelopeAnswer, HandlerAnswer, PreviewAnswer, RunAnswer } from '../answers.js';
import { codes } from './codes.js';

/** A failure as a person sees it: one of the API, or one on the way to it. */
export interface ShownFailure {
  code: string;
  message: string;
  hint: string;
  title?: string;
  audit_run_id?: string;
  issues?: Issue[];
  outcome?: Outcome;
  live_until?: string;
}

/** Whether it is this browser's own word: what became of the call, nobody has said. */
export function isUnheard({ code }: ShownFailure): boolean {
  return ['unreachable', 'unexpected_answer', 'cancelled'].includes(code);
}

export type Answered<T> = { answer: T } | { failure: ShownFailure };

/** A request as it goes into JSON. */
export type RequestBody = Readonly<Record<string, unknown>>;

export interface Calls {
  handlers(signal: AbortSignal): Promise<Answered<HandlerAnswer[]>>;
  preview(request: RequestBody, signal: AbortSignal): Promise<Answered<PreviewAnswer>>;
  mint(request: RequestBody, signal: AbortSignal): Promise<Answered<EnvelopeAnswer>>;
  run(run_id: string, signal: AbortSignal): Promise<Answered<RunAnswer>>;
}

/** `fetch` is asked for before each call, since it may be set later. */
export function callsOf(base: string, fetch: () => typeof globalThis.fetch): Calls {
  const at = (path: string) => `${base.replace(/\/+$/, '')}/${path}`;
  const get = (path: string, signal: AbortSignal) => (): Promise<Response> =>
    fetch()(at(path), { signal, cache: 'no-store', headers: { accept: 'application/json' } });
  const post = (path: string, body: RequestBody, signal: AbortSignal) => (): Promise<Response> =>
    fetch()(at(path), {
      method: 'POST',
      signal,
      cache: 'no-store',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return {
    handlers: (signal) => ask(get('handlers', signal), signal, Array.isArray),
    preview: (request, signal) =>
      ask(post('preview', request, signal), signal, hasTexts('run_id', 'command', 'credential_key')),
    mint: (request, signal) =>
      ask(post('sts', request, signal), signal, hasTexts('credential_key', 'expires_at', 'audit_run_id')),
    run: (run_id, signal) =>
      ask(get(`runs/${encodeURIComponent(run_id)}`, signal), signal, hasTexts('run_id', 'status')),
  };
}

async function ask<T>(
  send: () => Promise<Response>,
  signal: AbortSignal,
  fits: (body: unknown) => boolean,
): Promise<Answered<T>> {
  let response: Response;
  let text: string;
  try {
    response = await send().catch(answerIn);
    text = await response.text();
  } catch (error) {
    return { failure: brokenOff(error, signal) };
  }
  const body = jsonOf(text);
  if (response.ok && fits(body)) return { answer: body as T };
  return { failure: response.ok ? unreadable(response.status) : failureIn(body, response.status) };
}

/** The second 401 that `createApiFetch` throws; by name, as it may come from another copy of this package. */
function answerIn(error: unknown): Response {
  const { name, response } = error as { name?: unknown; response?: unknown };
  if (name === 'StepUpRefusedError' && response instanceof Response) return response;
  throw error;
}

/** `fetch` throws a TypeError where the network failed; what else is thrown comes of signing in. */
function brokenOff(error: unknown, signal: AbortSignal): ShownFailure {
  if (signal.aborted)
    return { code: 'cancelled', message: 'You cancelled the call.', hint: codes.cancelled.fix };
  if (!(error instanceof TypeError))
    return {
      code: 'not_confirmed',
      message: error instanceof Error && error.message ? error.message : 'The sign-in did not succeed.',
      hint: codes.not_confirmed.fix,
    };
  return {
    code: 'unreachable',
    message: navigator.onLine
      ? 'The connection failed before an answer had come.'
      : 'Your browser is offline.',
    hint: codes.unreachable.fix,
  };
}

function failureIn(body: unknown, status: number): ShownFailure {
  if (!hasTexts('code')(body)) return unreadable(status);
  const given = body as Record<string, unknown>;
  const text = (name: string) => (typeof given[name] === 'string' ? { [name]: given[name] } : {});
  return {
    code: given.code as string,
    message: `The control plane answered with status ${status}.`,
    hint: '',
    ...text('title'),
    ...text('message'),
    ...text('hint'),
    ...text('audit_run_id'),
    ...text('outcome'),
    ...text('live_until'),
    ...(Array.isArray(given.issues) ? { issues: given.issues.filter(hasTexts('field', 'message')) } : {}),
  };
}

function unreadable(status: number): ShownFailure {
  return {
    code: 'unexpected_answer',
    message: `The answer has status ${status} and is not what the control plane answers.`,
    hint: codes.unexpected_answer.fix,
  };
}

function hasTexts(...names: string[]) {
  return (body: unknown): boolean =>
    typeof body === 'object' &&
    body !== null &&
    names.every((name) => typeof (body as Record<string, unknown>)[name] === 'string');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
