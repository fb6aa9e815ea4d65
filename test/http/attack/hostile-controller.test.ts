/** A controller that is not what it should be: the admin side passes on nothing of it that it has not rebuilt. */
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIssuer } from '../../../fixtures/loopback/issuer.mjs';
import { serve } from '../../../fixtures/loopback/serve.mjs';
import { newRunId } from '../../../src/run-id.js';
import { requests } from '../../support.js';
import {
  bearer,
  expectProblem,
  goodBody,
  type Issuer,
  invalidToken,
  jsonType,
  noScope,
  type Refusal,
  refusal,
  startAdmin,
  stepUp,
} from './sides.js';
import { type Answer, send } from './wire.js';

/** What the controller does with a connection once a whole call has come. */
type Part = (socket: Socket) => void | Promise<void>;

let issuer: Issuer;
let admin: Awaited<ReturnType<typeof startAdmin>>;
let elsewhere: Awaited<ReturnType<typeof serve>>;
let controller: Server;
let part: Part = () => {};
/** Calls as they came to the controller. */
const asked: string[] = [];

beforeAll(async () => {
  issuer = await startIssuer();
  elsewhere = await serve(({ url }) => ({ call: url.pathname, reply: { body: '{}' } }));
  controller = createServer((socket) => {
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      text += chunk;
      const [head = '', body = ''] = text.split('\r\n\r\n');
      if (!text.includes('\r\n\r\n') || body.length < Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0))
        return;
      asked.push(text);
      text = '';
      part(socket);
    });
  });
  await new Promise<void>((resolve) => controller.listen(0, '127.0.0.1', resolve));
  admin = await startAdmin(`http://127.0.0.1:${(controller.address() as { port: number }).port}`, issuer);
});
afterAll(async () => {
  await Promise.all([admin.close(), issuer.close(), elsewhere.close()]);
  controller.close();
});

/** Calls a route of the admin side while the controller plays its part. */
async function ask(route: string, body?: string, headers: [string, string][] = []): Promise<Answer> {
  asked.length = 0;
  return send(admin.url, {
    target: admin.path(route),
    headers: [bearer(await issuer.token()), ...(body === undefined ? [] : [jsonType]), ...headers],
    body,
  });
}

const mint = () => ask('sts', goodBody);

/** A whole answer in HTTP. */
const answer =
  (status: number | string, body: unknown, headers: [string, string][] = []): Part =>
  (socket) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const all = [
      ['Content-Type', 'application/json'],
      ...headers,
      ['Content-Length', Buffer.byteLength(text)],
    ];
    socket.end(
      `HTTP/1.1 ${status} X\r\nConnection: close\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${text}`,
    );
  };

const run_id = newRunId();
const envelope = {
  credential_key: 'idp:aws:prod',
  expires_at: '2099-01-01T00:00:00.000Z',
  source_identity: 'arn:aws:iam::123456789012:role/deploy',
  audit_run_id: run_id,
};
const secret = ['not', 'for', 'the', 'operator'].join('-');
const tokens = { access_token: secret, secret_access_key: secret, credential: { session_token: secret } };
const problem = (code: string, more: object = {}) => ({
  type: `https://evil.example/${secret}`,
  title: secret,
  status: 200,
  detail: secret,
  instance: secret,
  code,
  message: 'a message',
  hint: 'a hint',
  ...more,
});
/** Everything that a browser or a client would act on. */
const evilHeaders: [string, string][] = [
  ['Set-Cookie', `session=${secret}; Path=/`],
  ['Location', 'https://evil.example/'],
  ['Refresh', '0; url=https://evil.example/'],
  ['Clear-Site-Data', '"*"'],
  ['Access-Control-Allow-Origin', '*'],
  ['Access-Control-Allow-Credentials', 'true'],
  ['Content-Security-Policy', 'default-src *'],
  ['Strict-Transport-Security', 'max-age=0'],
  ['Cache-Control', 'public, max-age=31536000'],
  ['X-Request-Id', secret],
  ['X-Content-Type-Options', 'sniff'],
  ['Content-Disposition', 'attachment; filename=evil.html'],
  ['Link', '<https://evil.example/>; rel=preload'],
  ['Server', secret],
  ['Retry-After', secret],
  ['Alt-Svc', 'h2="evil.example:443"'],
  ['WWW-Authenticate', `Basic realm="${secret}"`],
];

const unavailable = refusal(502, 'upstream_unavailable');

/** A mint that was sent and not answered: what the cloud has is unknown, and the run can be looked up. */
function expectUnknown(got: Answer): void {
  expectProblem(got, unavailable);
  const sent = JSON.parse(asked[0]!.split('\r\n\r\n')[1]!);
  expect(got.body).toMatchObject({ outcome: 'unknown', audit_run_id: sent.run_id });
  expect(got.body.hint).toContain(sent.run_id);
  expect(got.text).not.toContain(secret);
}

describe('the admin side, before a controller', () => {
  it.each([301, 302, 303, 307, 308])('that redirects with %i, follows nowhere', async (status) => {
    part = answer(status, problem('invalid_request'), [['Location', `${elsewhere.url}/login`]]);
    expectUnknown(await mint());
    part = answer(status, '', [['Location', `${elsewhere.url}/login`]]);
    expectUnknown(await mint());
    expectProblem(await ask('handlers'), unavailable);
    expect(elsewhere.calls).toEqual([]);
    expect(asked).toHaveLength(1);
  });

  it('that adds members and headers, passes on the promised members and no header', async () => {
    part = answer(200, { ...tokens, ...envelope, ...tokens, __proto__x: 1 }, evilHeaders);
    const got = await mint();
    expect([got.status, got.body]).toEqual([200, envelope]);
    expect(Object.fromEntries(got.headers)).toEqual({
      'cache-control': 'no-store',
      connection: 'close',
      'content-length': String(got.text.length),
      'content-type': 'application/json',
      date: expect.any(String),
      'x-content-type-options': 'nosniff',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    for (const [route, body, shown] of [
      [
        'handlers',
        [{ provider: 'aws', title: 't', binary: 'aws', binary_present: true, fields: [], ...tokens }],
      ],
      [
        'preview',
        {
          provider: 'aws',
          run_id,
          credential_key: 'idp:aws:prod',
          source_identity: null,
          binary: 'aws',
          binary_present: true,
          binary_path: null,
          argv: ['aws'],
          command: 'aws',
          timeout_seconds: 60,
          policy: { allowed: true, ...tokens },
          ...tokens,
        },
        goodBody,
      ],
    ] as const) {
      part = answer(200, body, evilHeaders);
      const other = await ask(route, shown);
      expect([route, other.status, other.text.includes(secret)]).toEqual([route, 200, false]);
    }
  });

  it.each<[string, Part]>([
    ['HTML', answer(200, '<html><script>evil()</script></html>', [['Content-Type', 'text/html']])],
    ['nothing', answer(200, '')],
    ['half of its answer', answer(200, JSON.stringify(envelope).slice(0, -1))],
    ['a list', answer(200, [envelope])],
    ['null', answer(200, 'null')],
    ['an envelope that lacks a member', answer(200, { ...envelope, audit_run_id: undefined })],
    ['an envelope with a member of another type', answer(200, { ...envelope, expires_at: 1 })],
    ['an envelope by its prototype', answer(200, `{"__proto__":${JSON.stringify(envelope)}}`)],
    ['a problem as a success', answer(200, problem('invalid_request'))],
    ['201', answer(201, envelope)],
    ['204', (socket) => void socket.end('HTTP/1.1 204 X\r\nConnection: close\r\n\r\n')],
    ['206', answer(206, envelope)],
    ['an envelope as a failure', answer(500, { ...envelope, ...tokens })],
    ['a failure in HTML', answer(502, `<h1>Bad gateway ${secret}</h1>`, [['Content-Type', 'text/html']])],
    ['a status that does not exist', answer(999, problem('invalid_request', { code: 'nothing' }))],
    ['a code that does not exist', answer(400, problem('give_me_your_token', tokens))],
    ['the code __proto__', answer(400, problem('__proto__'))],
    ['the code constructor', answer(400, problem('constructor'))],
    ['a code of the ledger alone', answer(400, problem('abandoned'))],
    ['a code that HTTP does not have', answer(400, problem('expired'))],
    ['a problem without a message', answer(400, problem('conflict', { message: undefined }))],
    ['a problem with an outcome that does not exist', answer(400, problem('conflict', { outcome: 'fine' }))],
    ['a body that has no end', (socket) => flood(socket, '')],
    [
      'a body that has no end, in small print',
      (socket) => {
        const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
        socket.write(`HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`);
        socket.write(bomb);
      },
    ],
    ['headers that have no end', (socket) => flood(socket, 'X-Long: ')],
    ['a length that it does not keep', (socket) => closeAfter(socket, 'Content-Length: 5000\r\n\r\n{"a":')],
    [
      'chunks that do not end',
      (socket) => closeAfter(socket, 'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":'),
    ],
    ['chunks that are none', (socket) => closeAfter(socket, 'Transfer-Encoding: chunked\r\n\r\nzz\r\n')],
    ['two lengths', (socket) => closeAfter(socket, 'Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}')],
    ['no HTTP', (socket) => void socket.end('SSH-2.0-OpenSSH_9.9\r\n')],
    ['an end of the connection', (socket) => void socket.end()],
    ['a reset of the connection', (socket) => void socket.resetAndDestroy()],
  ])('that answers a mint with %s, says that its outcome is unknown', async (_, plays) => {
    part = plays;
    expectUnknown(await mint());
    // And is in order for the next call.
    part = answer(200, envelope);
    expect((await mint()).status).toBe(200);
  });

  it.each<[string, Refusal, Part]>([
    ['conflict', refusal(409, 'conflict'), answer(409, problem('conflict', tokens), evilHeaders)],
    [
      'policy_denied',
      refusal(403, 'policy_denied'),
      answer(200 + 203, problem('policy_denied'), evilHeaders),
    ],
    ['nonzero_exit', refusal(502, 'nonzero_exit'), answer(502, problem('nonzero_exit', tokens), evilHeaders)],
    ['internal', refusal(500, 'internal'), answer(500, problem('internal', { stack: secret }), evilHeaders)],
    ['a code under another status', refusal(409, 'conflict'), answer(418, problem('conflict'), evilHeaders)],
    ['cancelled', refusal(503, 'cancelled'), answer(499, problem('cancelled'), evilHeaders)],
    ['rate_limited', refusal(429, 'rate_limited'), answer(429, problem('rate_limited'), evilHeaders)],
    [
      'invalid_token',
      invalidToken('the controller does not accept it'),
      answer(401, problem('invalid_token'), evilHeaders),
    ],
    ['insufficient_scope', noScope, answer(403, problem('insufficient_scope'), evilHeaders)],
    ['misdirected_request', unavailable, answer(421, problem('misdirected_request'), evilHeaders)],
    ['forbidden_origin', unavailable, answer(403, problem('forbidden_origin'), evilHeaders)],
    ['method_not_allowed', unavailable, answer(405, problem('method_not_allowed'), evilHeaders)],
  ])('that fails with %s, makes the problem anew', async (_, expected, plays) => {
    part = plays;
    const got = await mint();
    expectProblem(got, expected);
    expect(got.text).not.toContain(secret);
    expect(got.headers.get('retry-after')).toBe([429, 503].includes(expected.status) ? '5' : null);
  });

  it.each<[string, string, Refusal]>([
    ['a good one', 'Bearer error="insufficient_user_authentication", max_age="60"', stepUp(60)],
    [
      'one among others, with more in it',
      `Basic realm="${secret}", Bearer realm="a\\", max_age=\\"1", error="insufficient_user_authentication", evil="${secret}", max_age=30, Negotiate ${'QUJD'}`,
      stepUp(30),
    ],
    ['none', '', unavailable],
    ['one without an age', 'Bearer error="insufficient_user_authentication"', unavailable],
    ['a negative age', 'Bearer error="insufficient_user_authentication", max_age="-1"', unavailable],
    [
      'an age beyond all numbers',
      `Bearer error="insufficient_user_authentication", max_age="${'9'.repeat(30)}"`,
      unavailable,
    ],
    ['an age that is none', 'Bearer error="insufficient_user_authentication", max_age="0x10"', unavailable],
    ['two ages', 'Bearer error="insufficient_user_authentication", max_age=1, max_age=2', unavailable],
    ['another error', 'Bearer error="invalid_token", max_age="60"', unavailable],
    [
      'a quoted string that does not end',
      'Bearer error="insufficient_user_authentication, max_age="60',
      unavailable,
    ],
  ])('whose step-up challenge is %s, writes its own or none', async (_, header, expected) => {
    part = answer(401, problem('insufficient_user_authentication'), [['WWW-Authenticate', header]]);
    const got = await mint();
    expectProblem(got, expected);
    expect(JSON.stringify([got.text, ...got.headers])).not.toContain(secret);
  });

  it('that says when to come again, believes a short number alone', async () => {
    for (const [given, expected] of [
      ['7', '7'],
      ['99999', '5'],
      ['-1', '5'],
      ['Wed, 21 Oct 2099 07:28:00 GMT', '5'],
      ['1, 2', '5'],
    ]) {
      part = answer(429, problem('rate_limited'), [['Retry-After', given!]]);
      expect((await mint()).headers.get('retry-after')).toBe(expected);
    }
  });

  it('hands on the token, the trace and the request id, to its route, and nothing else of the call', async () => {
    part = answer(200, envelope);
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const got = await ask('sts?path=/metrics&x=1', goodBody, [
      ['traceparent', traceparent],
      ['tracestate', 'vendor=1'],
      ['X-Request-Id', 'request-1'],
      ['Cookie', `session=${secret}`],
      ['Origin', admin.url],
      ['Referer', `https://admin.example.com/${secret}`],
      ['X-Forwarded-For', '10.0.0.1'],
      ['Forwarded', 'for=10.0.0.1'],
      ['X-HTTP-Method-Override', 'DELETE'],
      ['Proxy-Authorization', `Basic ${secret}`],
      ['X-Anything', secret],
      ['Accept', 'text/html'],
      ['Accept-Language', 'tlh'],
      ['User-Agent', secret],
      ['Range', 'bytes=0-1'],
      ['If-None-Match', '*'],
      ['baggage', `token=${secret}`],
    ]);
    expect([got.status, got.headers.get('x-request-id')]).toEqual([200, 'request-1']);
    const [head = '', body = ''] = asked[0]!.split('\r\n\r\n');
    const [line, ...lines] = head.split('\r\n');
    expect(line).toBe('POST /cloud-cli/sts HTTP/1.1');
    const sent = Object.fromEntries(
      lines.map((each) => each.split(/: (.*)/s, 2)).map(([n, v]) => [n!.toLowerCase(), v]),
    );
    expect(sent).toEqual({
      // What fetch itself says.
      host: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      connection: 'keep-alive',
      'content-length': String(body.length),
      'accept-language': '*',
      'accept-encoding': expect.any(String),
      'sec-fetch-mode': 'cors',
      'user-agent': 'node',
      // What the admin side says.
      accept: 'application/json',
      'content-type': 'application/json',
      authorization: expect.stringMatching(/^Bearer ey/),
      traceparent,
      tracestate: 'vendor=1',
      'x-request-id': 'request-1',
    });
    const { run_id: named, ...rest } = JSON.parse(body);
    expect(rest).toEqual(requests.aws());
    expect(named).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });

  it('asks for no run but by an id that is one', async () => {
    part = answer(200, {});
    for (const id of ['..%2fhandlers', `${run_id}%00`, `${run_id}%0d%0aX: y`, run_id.toUpperCase()]) {
      const got = await ask(`runs/${id}`);
      expect([id, got.status >= 400, asked]).toEqual([id, true, []]);
    }
    await ask(`runs/${run_id}?x=/../../metrics`);
    expect(asked[0]).toMatch(new RegExp(`^GET /cloud-cli/runs/${run_id} HTTP/1.1\r\n`));
  });

  it('that never answers or drips, gives up after 15 seconds', async () => {
    const started = performance.now();
    part = () => {};
    const silent = ask('preview', goodBody);
    await until(() => asked.length > 0);
    part = (socket) => {
      socket.write('HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n');
      const timer = setInterval(() => socket.write(' '), 200);
      socket.on('close', () => clearInterval(timer));
    };
    for (const got of await Promise.all([silent, ask('handlers')])) expectProblem(got, unavailable);
    const seconds = (performance.now() - started) / 1000;
    // What has no limit takes minutes.
    expect([seconds > 14, seconds < 60]).toEqual([true, true]);
  });

  it('that is not there, says that nothing was issued', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as { port: number };
    await new Promise((resolve) => gone.close(resolve));
    const alone = await startAdmin(`http://127.0.0.1:${port}`, issuer);
    const headers = [bearer(await issuer.token()), jsonType];
    const got = await send(alone.url, { target: alone.path('sts'), headers, body: goodBody });
    expectProblem(got, unavailable);
    expect(got.body.outcome).toBe('not_issued');
    expect(got.body).not.toHaveProperty('audit_run_id');
    const shown = await send(alone.url, { target: alone.path('preview'), headers, body: goodBody });
    expectProblem(shown, unavailable);
    expect(shown.body).not.toHaveProperty('outcome');
    const ready = await send(alone.url, { target: '/readyz' });
    expect([ready.status, ready.body]).toMatchObject([503, { controller: false, jwks: true }]);
    await alone.close();
  });

  it('of whatever kind, logs nothing of what it said', async () => {
    expect(admin.lines.length).toBeGreaterThan(50);
    expect(JSON.stringify(admin.lines)).not.toContain(secret);
    expect(admin.lines.filter(({ message }) => message !== 'answered')).toEqual([]);
  });
});

/** An answer without an end. */
async function flood(socket: Socket, line: string): Promise<void> {
  socket.write(`HTTP/1.1 200 X\r\n${line === '' ? '\r\n' : line}`);
  const block = Buffer.alloc(64 * 1024, 'x');
  while (socket.writable) if (!socket.write(block)) await sleep(1);
}

function closeAfter(socket: Socket, text: string): void {
  socket.end(`HTTP/1.1 200 X\r\n${text}`);
}

async function until(probe: () => boolean): Promise<void> {
  while (!probe()) await sleep(10);
}
