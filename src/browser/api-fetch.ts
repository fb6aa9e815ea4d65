/** `createApiFetch`: a `fetch` that carries the operator's token and answers a step-up challenge (RFC 9470) once. */
import { parseChallenges, type StepUp, stepUpOf } from '../challenge.js';

/** Where the operator's token comes from, and how to authenticate again. */
export interface ApiFetchOptions {
  /** The operator's current access token; asked before each request. Without one the request goes without. */
  getAccessToken: () => string | undefined | Promise<string | undefined>;
  /** Authenticates the operator again, as asked; `getAccessToken` must give the new token once it resolves. */
  stepUp: (asked: StepUp) => unknown;
  /** Default: the global one at the time of the call. */
  fetch?: typeof fetch;
  /**
   * Origins that may see the token. Default: the page's own, in a browser; elsewhere there is no page, so that
   * without this the token goes to whatever URL the caller names.
   */
  origins?: readonly string[];
}

/** After a step-up the API still answered 401: whoever asks again would ask for ever. */
export class StepUpRefusedError extends Error {
  /** Tells it from other errors. */
  override readonly name = 'StepUpRefusedError';
  /** The API's last answer. */
  readonly response: Response;

  /** `response` is the second 401. */
  constructor(response: Response) {
    super('the API still answered 401 after the operator had authenticated again');
    this.response = response;
  }
}

/**
 * The token goes into a header of one request to one origin: never onto a URL, and never along a redirect, so that
 * an answer that redirects is an error, unless the caller asked for `redirect: 'manual'`.
 */
export function createApiFetch({
  getAccessToken,
  stepUp,
  fetch: send = (input, init) => globalThis.fetch(input, init),
  origins = pageOrigins(),
}: ApiFetchOptions): typeof fetch {
  const allowed = origins?.map((origin) => new URL(origin).origin);
  let completed = 0;
  let current: Promise<void> | undefined;

  /** One step-up, however many calls wait for it. */
  function join(asked: StepUp): Promise<void> {
    current ??= (async () => {
      try {
        await stepUp(asked);
        completed++;
      } finally {
        current = undefined;
      }
    })();
    return current;
  }

  async function attempt({ headers: own, redirect, signal, send: sendAs }: Call): Promise<Response> {
    const headers = new Headers(own);
    headers.delete('authorization');
    const token = await getAccessToken();
    if (token) headers.set('authorization', `Bearer ${plain(token)}`);
    signal?.throwIfAborted();
    return sendAs({ headers, redirect: redirect === 'manual' ? 'manual' : 'error' });
  }

  return async (input, init) => {
    const call = callOf(input, init, send);
    if (allowed && call.origin !== undefined && !allowed.includes(call.origin))
      throw new TypeError(
        `the token is not sent to ${call.origin}: it is not among the \`origins\` of createApiFetch`,
      );

    const before = completed;
    const response = await attempt(call);
    if (response.status !== 401) return response;
    const asked = stepUpOf(parseChallenges(response.headers.get('www-authenticate')));
    if (!asked) return response;

    await response.body?.cancel();
    // Who was sent before a step-up that is over by now was judged by the old token.
    if (completed === before) await unlessAborted(call.signal, join(asked));
    const replayed = await attempt(call);
    if (replayed.status === 401) throw new StepUpRefusedError(replayed);
    return replayed;
  };
}

/** A call that can be sent twice. */
interface Call {
  /** undefined for a relative URL where there is no page: it is the given fetch's to resolve. */
  origin: string | undefined;
  headers: HeadersInit | undefined;
  redirect: RequestRedirect | undefined;
  signal: AbortSignal | null | undefined;
  send(own: { headers: Headers; redirect: RequestRedirect }): Promise<Response>;
}

function callOf(input: RequestInfo | URL, init: RequestInit | undefined, send: typeof fetch): Call {
  // What can be read once only has to be copied before it is sent.
  if (input instanceof Request || init?.body instanceof ReadableStream) {
    const request = new Request(input, init);
    const { url, headers, redirect, signal } = request;
    const sendCopy: Call['send'] = (own) => send(new Request(request.clone(), own));
    return { origin: originOf(url), headers, redirect, signal, send: sendCopy };
  }
  const { headers, redirect, signal } = init ?? {};
  return {
    origin: originOf(String(input)),
    headers,
    redirect,
    signal,
    send: (own) => send(input, { ...init, ...own }),
  };
}

function originOf(url: string): string | undefined {
  const page = globalThis as { document?: { baseURI: string }; location?: { href: string } };
  const base = page.document?.baseURI ?? page.location?.href;
  return URL.canParse(url, base) ? new URL(url, base).origin : undefined;
}

function pageOrigins(): string[] | undefined {
  const page = (globalThis as { location?: { origin: string } }).location;
  return page && [page.origin];
}

/** `Headers` would quote a token that is none in its error. */
function plain(token: string): string {
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(token))
    throw new TypeError('getAccessToken gave something that is no bearer token (RFC 6750 section 2.1)');
  return token;
}

/** Waits no longer than the caller wants to; what is waited for goes on, for others may wait too. */
function unlessAborted(signal: AbortSignal | null | undefined, waitedFor: Promise<void>): Promise<void> {
  if (!signal) return waitedFor;
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    waitedFor.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
