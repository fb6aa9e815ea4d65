/** `createApiFetch` against real HTTP servers. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createApiFetch, StepUpRefusedError } from '../../src/browser/api-fetch.js';
import { type StepUp, stepUpChallenge } from '../../src/challenge.js';
import { until } from '../support.js';

interface Call {
  method: string;
  url: string;
  authorization: string | undefined;
  body: string;
  trace: string | undefined;
}

const challenge = stepUpChallenge({ max_age: 180, description: 'The authentication is too old.' });

/** A server that keeps its calls; `answer` writes the response. */
async function serve(answer: (call: Call, response: ServerResponse) => unknown) {
  const calls: Call[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const call = {
      method: request.method!,
      url: request.url!,
      authorization: request.headers.authorization,
      body: Buffer.concat(chunks).toString(),
      trace: request.headers['x-trace'] as string | undefined,
    };
    calls.push(call);
    await answer(call, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
}

/** An API that lets only `fresh` in, and asks anyone else to step up. */
const guarded = () =>
  serve(({ authorization, url }, response) => {
    if (authorization === 'Bearer fresh') response.end(`welcome to ${url}`);
    else response.writeHead(401, { 'www-authenticate': challenge }).end('{}');
  });

/** An operator whose token is fresh after a step-up. */
function operator(answer: (asked: StepUp) => unknown = () => {}) {
  let token = 'stale';
  const getAccessToken = vi.fn(() => token);
  const stepUp = vi.fn(async (asked: StepUp) => {
    await answer(asked);
    token = 'fresh';
  });
  return { getAccessToken, stepUp };
}

function held<T = void>() {
  let release!: (value: T) => void;
  let fail!: (error: unknown) => void;
  const promise = new Promise<T>((resolve, reject) => {
    release = resolve;
    fail = reject;
  });
  return { promise, release, fail };
}

describe('createApiFetch', () => {
  it('is fetch, with the token in a header and nowhere else', async () => {
    const { url, calls } = await serve((_call, response) => response.writeHead(201).end('made'));
    const apiFetch = createApiFetch({ getAccessToken: async () => 'fresh', stepUp: vi.fn() });
    const init = { method: 'POST', body: '{"a":1}', headers: { 'x-trace': 't', authorization: 'Basic own' } };
    const made = [
      await apiFetch(`${url}/a?b=c`, init),
      await apiFetch(new URL(`${url}/a?b=c`), init),
      await apiFetch(new Request(`${url}/a?b=c`, init)),
      await apiFetch(new Request(`${url}/a?b=c`, { headers: { 'x-trace': 'other' } }), init),
    ];
    expect(await Promise.all(made.map(async (response) => [response.status, await response.text()]))).toEqual(
      Array.from({ length: 4 }, () => [201, 'made']),
    );
    expect(calls).toEqual(
      Array.from({ length: 4 }, () => ({
        method: 'POST',
        url: '/a?b=c',
        authorization: 'Bearer fresh',
        body: '{"a":1}',
        trace: 't',
      })),
    );
  });

  it('goes without a token where there is none', async () => {
    const { url, calls } = await serve((_call, response) => response.end());
    const apiFetch = createApiFetch({ getAccessToken: () => undefined, stepUp: vi.fn() });
    await apiFetch(url, { headers: { authorization: 'Basic own' } });
    expect(calls[0]!.authorization).toBeUndefined();
  });

  it('steps up on the challenge and replays the call, body and all', async () => {
    const { url, calls } = await guarded();
    const { getAccessToken, stepUp } = operator();
    const apiFetch = createApiFetch({ getAccessToken, stepUp });
    const bodies: [string | ReadableStream | Blob | URLSearchParams, string][] = [
      ['text', 'text'],
      [new Blob(['blob']), 'blob'],
      [new URLSearchParams({ a: 'b' }), 'a=b'],
      [new Response('stream').body!, 'stream'],
    ];
    for (const [body, sent] of bodies) {
      const own = operator();
      const response = await createApiFetch(own)(`${url}/x`, {
        method: 'POST',
        body,
        duplex: 'half',
      } as RequestInit);
      expect(await response.text()).toBe('welcome to /x');
      expect(own.stepUp.mock.calls).toEqual([[{ max_age: 180 }]]);
      expect(calls.splice(0).map((call) => [call.authorization, call.body])).toEqual([
        ['Bearer stale', sent],
        ['Bearer fresh', sent],
      ]);
    }
    expect((await apiFetch(`${url}/y`)).status).toBe(200);
    expect(getAccessToken).toHaveBeenCalledTimes(2);
  });

  it('hands on what the challenge asks for', async () => {
    const { url } = await serve((_call, response) =>
      response
        .writeHead(401, {
          'www-authenticate': `DPoP algs="ES256", Bearer error="insufficient_user_authentication", acr_values="phr mfa", max_age=0`,
        })
        .end(),
    );
    const { getAccessToken, stepUp } = operator();
    await createApiFetch({ getAccessToken, stepUp })(url).catch(() => {});
    expect(stepUp.mock.calls).toEqual([[{ max_age: 0, acr_values: 'phr mfa' }]]);
  });

  it('prompts once however many calls wait, and replays each once', async () => {
    const { url, calls } = await guarded();
    const prompt = held();
    const { getAccessToken, stepUp } = operator(() => prompt.promise);
    const apiFetch = createApiFetch({ getAccessToken, stepUp });
    const waiting = Array.from({ length: 20 }, (_, index) =>
      apiFetch(`${url}/${index}`, { method: 'POST', body: `body ${index}` }),
    );
    await until(() => calls.length === 20);
    prompt.release();
    const texts = await Promise.all(waiting.map(async (call) => (await call).text()));
    expect(texts).toEqual(Array.from({ length: 20 }, (_, index) => `welcome to /${index}`));
    expect(stepUp).toHaveBeenCalledTimes(1);
    expect(calls).toHaveLength(40);
    // Over several connections they come in any order.
    const replays = calls.slice(20).map(({ url, authorization, body }) => [url, authorization, body]);
    expect(replays.toSorted()).toEqual(
      Array.from({ length: 20 }, (_, index) => [`/${index}`, 'Bearer fresh', `body ${index}`]).toSorted(),
    );
  });

  it('replays without a prompt when the step-up was over before the answer came', async () => {
    const late = held();
    const { url, calls } = await serve(async (call, response) => {
      if (call.authorization === 'Bearer fresh') return response.end('ok');
      if (call.url === '/late') await late.promise;
      return response.writeHead(401, { 'www-authenticate': challenge }).end();
    });
    const { getAccessToken, stepUp } = operator();
    const apiFetch = createApiFetch({ getAccessToken, stepUp });
    const slow = apiFetch(`${url}/late`);
    await until(() => calls.length === 1);
    expect((await apiFetch(`${url}/soon`)).status).toBe(200);
    late.release();
    expect((await slow).status).toBe(200);
    expect(stepUp).toHaveBeenCalledTimes(1);
  });

  it('takes a second 401 for an error that holds the answer, and asks no further', async () => {
    const answers = [
      { 'www-authenticate': challenge },
      { 'www-authenticate': challenge },
      { 'www-authenticate': challenge },
      { 'www-authenticate': 'Bearer error="invalid_token"' },
    ];
    const { url, calls } = await serve((_call, response) =>
      response.writeHead(401, answers[calls.length - 1]).end(`answer ${calls.length}`),
    );
    const { getAccessToken, stepUp } = operator();
    const apiFetch = createApiFetch({ getAccessToken, stepUp });
    for (const [prompts, body] of [
      [1, 'answer 2'],
      [2, 'answer 4'],
    ] as const) {
      const error = await apiFetch(url).catch((reason) => reason);
      expect(error).toBeInstanceOf(StepUpRefusedError);
      expect([error.name, error.response.status, await error.response.text()]).toEqual([
        'StepUpRefusedError',
        401,
        body,
      ]);
      expect(stepUp).toHaveBeenCalledTimes(prompts);
    }
  });

  it.each([
    ['no challenge', {}],
    ['a bare one', { 'www-authenticate': 'Bearer' }],
    ['an invalid token', { 'www-authenticate': 'Bearer error="invalid_token"' }],
    ['another scheme', { 'www-authenticate': challenge.replace('Bearer', 'DPoP') }],
    ['words in a description', { 'www-authenticate': `Bearer error_description="${'error=x'}"` }],
    ['a maximum age that is none', { 'www-authenticate': challenge.replace('180', 'soon') }],
  ])('returns a 401 with %s as it is', async (_what, headers) => {
    const { url, calls } = await serve((_call, response) => response.writeHead(401, headers).end('as it is'));
    const { getAccessToken, stepUp } = operator();
    const response = await createApiFetch({ getAccessToken, stepUp })(url);
    expect([response.status, await response.text()]).toEqual([401, 'as it is']);
    expect([stepUp.mock.calls.length, calls.length]).toEqual([0, 1]);
  });

  it.each([200, 403, 500])('does not heed the challenge of a %i', async (status) => {
    const { url } = await serve((_call, response) =>
      response.writeHead(status, { 'www-authenticate': challenge }).end(),
    );
    const { getAccessToken, stepUp } = operator();
    expect((await createApiFetch({ getAccessToken, stepUp })(url)).status).toBe(status);
    expect(stepUp).not.toHaveBeenCalled();
  });

  it('rejects each waiting call when the step-up is refused, and prompts again for the next', async () => {
    const { url } = await guarded();
    const refusal = held();
    const { getAccessToken, stepUp } = operator();
    stepUp.mockImplementationOnce(() => refusal.promise);
    let answered = 0;
    const apiFetch = createApiFetch({
      getAccessToken,
      stepUp,
      // Without a body, so that who has the answer waits for the step-up at once.
      fetch: async (...call) => {
        const { status, headers } = await fetch(...call);
        answered += 1;
        return new Response(null, { status, headers });
      },
    });
    const waiting = Promise.allSettled([apiFetch(`${url}/a`), apiFetch(`${url}/b`)]);
    await until(() => answered === 2);
    const reason = new Error('not now');
    refusal.fail(reason);
    expect(await waiting).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ]);
    expect((await apiFetch(`${url}/c`)).status).toBe(200);
    expect(stepUp).toHaveBeenCalledTimes(2);
  });

  it('takes a step-up that throws at once for one that is refused', async () => {
    const { url } = await guarded();
    const apiFetch = createApiFetch({
      getAccessToken: () => 'stale',
      stepUp: () => {
        throw new Error('at once');
      },
    });
    await expect(apiFetch(url)).rejects.toThrow('at once');
  });

  it('gives up the one call whose caller aborts, while the others wait on', async () => {
    const { url, calls } = await guarded();
    const prompt = held();
    const { getAccessToken, stepUp } = operator(() => prompt.promise);
    const apiFetch = createApiFetch({ getAccessToken, stepUp });
    const controller = new AbortController();
    const leaving = apiFetch(`${url}/leaving`, { signal: controller.signal });
    const staying = apiFetch(`${url}/staying`);
    await until(() => stepUp.mock.calls.length > 0);
    await until(() => calls.length === 2);
    controller.abort(new Error('changed my mind'));
    await expect(leaving).rejects.toThrow('changed my mind');
    prompt.release();
    expect(await (await staying).text()).toBe('welcome to /staying');
    expect(calls.map((call) => call.url).toSorted()).toEqual(['/leaving', '/staying', '/staying']);
  });

  it('sends nothing for a caller who has aborted already', async () => {
    const { url, calls } = await guarded();
    await expect(createApiFetch(operator())(url, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    expect(calls).toEqual([]);
  });

  it('rejects as fetch does when nobody listens', async () => {
    const { getAccessToken, stepUp } = operator();
    await expect(createApiFetch({ getAccessToken, stepUp })('http://127.0.0.1:1/')).rejects.toThrow(
      TypeError,
    );
    expect(stepUp).not.toHaveBeenCalled();
  });

  it('uses the fetch that it is given', async () => {
    const own = vi.fn<typeof fetch>(async () => new Response('own'));
    const apiFetch = createApiFetch({ ...operator(), fetch: own });
    expect(await (await apiFetch('http://127.0.0.1:1/')).text()).toBe('own');
    const [url, init] = own.mock.calls[0]!;
    expect([url, new Headers(init?.headers).get('authorization')]).toEqual([
      'http://127.0.0.1:1/',
      'Bearer stale',
    ]);
  });

  it('leaves a relative URL to the fetch that it is given, also when it replays', async () => {
    const { getAccessToken, stepUp } = operator();
    const own = vi.fn<typeof fetch>(async (_, init) =>
      new Headers(init?.headers).get('authorization') === 'Bearer fresh'
        ? new Response('in')
        : new Response('{}', { status: 401, headers: { 'www-authenticate': challenge } }),
    );
    const apiFetch = createApiFetch({ getAccessToken, stepUp, fetch: own });
    const answer = await apiFetch('/sts', { method: 'POST', body: '{"a":1}' });
    expect(await answer.text()).toBe('in');
    expect(own.mock.calls.map(([url, init]) => [url, init?.method, init?.body])).toEqual([
      ['/sts', 'POST', '{"a":1}'],
      ['/sts', 'POST', '{"a":1}'],
    ]);
  });

  it('keeps the token from other origins than those allowed, and says so', async () => {
    const home = await guarded();
    const foreign = await guarded();
    const { getAccessToken, stepUp } = operator();
    const apiFetch = createApiFetch({ getAccessToken, stepUp, origins: [`${home.url}/path`] });
    await expect(apiFetch(foreign.url)).rejects.toThrow(/not sent to http:\/\/127\.0\.0\.1:\d+: .*origins/);
    expect((await apiFetch(home.url)).status).toBe(200);
    expect(foreign.calls).toEqual([]);
  });

  it('allows the page alone where there is one', async () => {
    const home = await guarded();
    const foreign = await guarded();
    vi.stubGlobal('location', new URL(home.url));
    onTestFinished(() => {
      vi.unstubAllGlobals();
    });
    const apiFetch = createApiFetch(operator());
    await expect(apiFetch(foreign.url)).rejects.toThrow(/not sent to/);
    expect((await apiFetch(home.url)).status).toBe(200);
    expect(foreign.calls).toEqual([]);
  });

  it.each([301, 302, 303, 307, 308])('follows no %i: neither token nor body travel on', async (status) => {
    const foreign = await guarded();
    const home = await serve((_call, response) =>
      response.writeHead(status, { location: `${foreign.url}/elsewhere` }).end(),
    );
    const apiFetch = createApiFetch(operator());
    await expect(apiFetch(home.url, { method: 'POST', body: 'secret' })).rejects.toThrow(TypeError);
    expect((await apiFetch(home.url, { redirect: 'manual' })).status).toBe(status);
    expect(foreign.calls).toEqual([]);
  });

  it('quotes no token that cannot be a header', async () => {
    const canary = ['to', 'ken\u2028'].join('');
    const apiFetch = createApiFetch({ getAccessToken: () => canary, stepUp: vi.fn() });
    const error = await apiFetch('http://127.0.0.1:1/').catch((reason) => reason);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).not.toContain(canary);
  });
});
