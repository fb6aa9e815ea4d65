/** Calls to another host, from another page, to paths and by methods that are not there: nothing is let through. */
import { METHODS } from 'node:http';
import { describe, expect, it } from 'vitest';
import { newRunId } from '../../../src/run-id.js';
import {
  bearer,
  call,
  expectRefused,
  goodBody,
  jsonType,
  noToken,
  type Refusal,
  refusal,
  type SideName,
  sideNames,
  useSides,
} from './sides.js';
import { bytesOf, exchange, send } from './wire.js';

/** As `serve` has them: the address that it listens on is among the names. */
const sides = useSides({ hosts: ['127.0.0.1', 'admin.example.com'] });

const misdirected = refusal(421, 'misdirected_request');
const malformed = refusal(400, 'invalid_request');
const foreign = refusal(403, 'forbidden_origin');
const notFound = refusal(404, 'not_found');

const portOf = (name: SideName) => new URL(sides.current[name].url).port;
const token = () => sides.current.issuer.token();

const foreignHosts: [host: string, Refusal][] = [
  ['evil.example', misdirected],
  ['evil.example:PORT', misdirected],
  ['127.0.0.1.evil.example', misdirected],
  ['localhost.', misdirected],
  ['localhost.evil.example', misdirected],
  ['xlocalhost', misdirected],
  ['admin.example.com.', misdirected],
  ['xadmin.example.com', misdirected],
  ['example.com', misdirected],
  ['0.0.0.0', misdirected],
  ['127.0.0.2', misdirected],
  ['[::ffff:127.0.0.1]', malformed],
  ['[::2]:PORT', misdirected],
  ['169.254.169.254', misdirected],
  ['localhost@evil.example', malformed],
  ['evil@127.0.0.1', malformed],
  ['127.0.0.1/', malformed],
  ['127.0.0.1#evil.example', malformed],
  ['127.0.0.1:99999', malformed],
  ['127.0.0.1:80:80', malformed],
  ['a b', malformed],
  ['[::1', malformed],
  ['', malformed],
];

const foreignOrigins = [
  'https://evil.example',
  'http://evil.example:PORT',
  'null',
  '',
  '*',
  'http://127.0.0.1',
  'http://127.0.0.1:1',
  'http://127.0.0.1:9999',
  'http://localhost:PORT',
  'http://[::1]:PORT',
  'http://127.0.0.1:PORT.evil.example',
  'http://evil@127.0.0.1:PORT',
  'http://127.0.0.1:PORT/',
  'http://127.0.0.1:PORT/path',
  'http://127.0.0.1:PORT, http://evil.example',
  'file://',
  'chrome-extension://abcdefghijklmnop',
  'data:text/html,x',
  'https://admin.example.com.evil.example',
  'https://evil.example.com',
  'https://admin.example.com:8443',
  'http://admin.example.com',
  '127.0.0.1:PORT',
];

/** Below a side's own path. */
const foreignPaths: [path: string, Refusal][] = [
  ['//handlers', notFound],
  ['/handlers/', notFound],
  ['/handlers//', notFound],
  ['/HANDLERS', notFound],
  ['/handlers;a=b', notFound],
  ['/handlers.json', notFound],
  ['/handlers%2f', notFound],
  ['%2fhandlers', notFound],
  ['/handlers%00', notFound],
  ['/handlers%20', notFound],
  ['/handlers%0d%0aSet-Cookie:%20a=b', notFound],
  ['/handlers%3f', notFound],
  ['/h%c3%a4ndlers', notFound],
  ['/handlers%ff', notFound],
  ['/handlers%', notFound],
  ['/%u0068andlers', notFound],
  ['/%2568andlers', notFound],
  ['/..%2fmetrics', notFound],
  ['/..%5cmetrics', notFound],
  ['/.%00./metrics', notFound],
  ['/handlers\\', malformed],
  ['\\..\\metrics', malformed],
  ['/assets/..%2f..%2fpackage.json', notFound],
  ['/assets/%2e%2e%2fpage.js', notFound],
  ['/assets/..%5cindex.js', notFound],
  ['/assets/page.js%00', notFound],
  ['/assets/PAGE.JS', notFound],
  ['/assets/__proto__', notFound],
  ['/assets/', notFound],
  ['/runs', notFound],
  ['/runs/', notFound],
  ['/runs/:id', notFound],
  ['/runs/RUN/', notFound],
  ['/runs/RUN/x', notFound],
  ['/runs/RUN%00', notFound],
  ['/runs/RUN%20', notFound],
  ['/runs/RUN%0a', notFound],
  ['/runs/RUN%0d%0aX-Evil:%20y', notFound],
  ['/runs/RUN%2f', notFound],
  ['/runs/RUN;x', notFound],
  ['/runs/*', notFound],
  ['/runs/%', notFound],
  ["/runs/'%20OR%20'1'='1", notFound],
  ['/runs/..%2f..%2fhealthz', notFound],
  ['/runs/%2e%2e%2fhandlers', notFound],
  ['/runs/..%252fhandlers', notFound],
  ['/runs/..;/handlers', notFound],
  ['/runs/http:%2f%2fevil.example', notFound],
];

describe.each(sideNames)('the %s', (name: SideName) => {
  const base = () => sides.current[name].path('').slice(0, -1);
  const here = (text: string) => text.replace('PORT', portOf(name));

  it.each(foreignHosts)('does not answer as %s', async (host, expected) => {
    for (const route of ['handlers', 'sts']) {
      const headers: [string, string][] = [['Host', here(host)], bearer(await token()), jsonType];
      await expectRefused(sides.current, name, expected, () => call(sides.current, name, route, { headers }));
    }
    // Not even what needs no token.
    await expectRefused(sides.current, name, expected, () =>
      call(sides.current, name, '', { target: '/metrics', headers: [['Host', here(host)]] }),
    );
  });

  it('believes neither the Host nor the request line alone, nor what a proxy may have added', async () => {
    const own = new URL(sides.current[name].url).host;
    const path = sides.current[name].path('handlers');
    const auth = bearer(await token());
    const ask = (target: string, headers: [string, string][]) => () =>
      call(sides.current, name, 'handlers', { target, headers: [...headers, auth] });
    const refused: [string, [string, string][]][] = [
      [`http://evil.example${path}`, [['Host', own]]],
      [`http://${own}${path}`, [['Host', 'evil.example']]],
      [`http://evil.example${path}`, [['Host', 'evil.example']]],
      [`http://evil@${own}${path}`, [['Host', own]]],
      [`http://${own}@evil.example${path}`, [['Host', own]]],
      [
        path,
        [
          ['Host', own],
          ['Host', 'evil.example'],
        ],
      ],
      [
        path,
        [
          ['Host', 'evil.example'],
          ['Host', own],
        ],
      ],
    ];
    for (const [target, headers] of refused)
      await expectRefused(sides.current, name, misdirected, ask(target, headers));
    const accepted: [string, [string, string][]][] = [
      [`http://${own}${path}`, [['Host', own]]],
      [path, [['Host', `LOCALHOST:${portOf(name)}`]]],
      [path, [['Host', 'localhost']]],
      [path, [['Host', `[::1]:${portOf(name)}`]]],
      [path, [['Host', 'Admin.Example.com']]],
      [path, [['Host', 'admin.example.com:8443']]],
      [
        path,
        [
          ['Host', own],
          ['X-Forwarded-Host', 'evil.example'],
          ['Forwarded', 'host=evil.example'],
        ],
      ],
    ];
    for (const [target, headers] of accepted)
      expect([target, headers, (await ask(target, headers)()).status]).toEqual([target, headers, 200]);
  });

  it('answers no call that names no host', async () => {
    for (const version of ['1.0', '1.1']) {
      const [answer] = await exchange(
        sides.current[name].url,
        `GET ${sides.current[name].path('handlers')} HTTP/${version}\r\nAuthorization: Bearer ${await token()}\r\nConnection: close\r\n\r\n`,
      );
      await expectRefused(sides.current, name, malformed, async () => answer!);
    }
  });

  it.each(foreignOrigins)('takes no POST from a page of the origin "%s"', async (origin) => {
    for (const route of ['preview', 'sts'])
      await expectRefused(sides.current, name, foreign, async () =>
        call(sides.current, name, route, {
          headers: [['Origin', here(origin)], bearer(await token()), jsonType],
        }),
      );
    // Reading is what the browser itself forbids that page.
    const headers: [string, string][] = [['Origin', here(origin)], bearer(await token())];
    const read = await call(sides.current, name, 'handlers', { headers });
    expect([read.status, read.headers.get('access-control-allow-origin')]).toEqual([200, null]);
  });

  it('takes a POST from its own page, also through a proxy that replaces the Host', async () => {
    for (const [host, origin] of [
      ['127.0.0.1:PORT', 'http://127.0.0.1:PORT'],
      ['localhost:PORT', 'http://localhost:PORT'],
      ['[::1]:PORT', 'http://[::1]:PORT'],
      ['admin.example.com', 'https://admin.example.com'],
      ['admin.example.com:8443', 'https://admin.example.com:8443'],
      ['127.0.0.1:PORT', 'https://admin.example.com'],
    ].map((pair) => pair.map(here)) as [string, string][]) {
      const headers: [string, string][] = [
        ['Host', host],
        ['Origin', origin],
        bearer(await token()),
        jsonType,
      ];
      const { status } = await call(sides.current, name, 'preview', { headers });
      expect([host, origin, status]).toEqual([host, origin, 200]);
    }
  });

  it.each(foreignPaths)('has nothing at %s', async (path, expected) => {
    const target = `${base()}${path.replace('RUN', newRunId())}`;
    await expectRefused(
      sides.current,
      name,
      expected,
      () => call(sides.current, name, 'handlers', { target }),
      // A run that is not there may be looked up.
      { passes: /^\/runs\/RUN$/.test(path) },
    );
  });

  it('leads no detour past its checks', async () => {
    for (const path of [
      '/handlers',
      '/%68andlers',
      '/x/../handlers',
      '/x/%2e%2e/handlers',
      '/./handlers',
      '/runs/%2e%2e/handlers',
      '/handlers?access=open',
      '/handlers?',
    ]) {
      const target = `${base()}${path}`;
      await expectRefused(sides.current, name, noToken, () =>
        call(sides.current, name, 'handlers', { target, headers: [] }),
      );
      expect([path, (await call(sides.current, name, 'handlers', { target })).status]).toEqual([path, 200]);
    }
  });

  it('has no route of the other side, and none beside its own', async () => {
    const [other] = sideNames.filter((each) => each !== name) as [SideName];
    for (const target of [
      sides.current[other].path('handlers'),
      sides.current[other].path('sts'),
      '/',
      '/favicon.ico',
      '/.well-known/openid-configuration',
      '/debug/pprof',
      '/metrics/',
      '/Metrics',
      '/healthz/x',
      '/openapi.json.bak',
    ])
      await expectRefused(sides.current, name, notFound, () =>
        call(sides.current, name, 'handlers', { target }),
      );
  });

  const methods = ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'M-SEARCH'];
  // A method that this Node.js does not know is a request that it cannot read.
  it.each(methods.filter((method) => METHODS.includes(method)))('takes no %s', async (method) => {
    for (const [route, allow] of [
      ['handlers', 'GET, HEAD'],
      ['preview', 'POST'],
      ['sts', 'POST'],
      [`runs/${newRunId()}`, 'GET, HEAD'],
    ] as const) {
      const answer = await expectRefused(sides.current, name, refusal(405, 'method_not_allowed'), async () =>
        send(sides.current[name].url, {
          method,
          target: sides.current[name].path(route),
          headers: [
            bearer(await token()),
            jsonType,
            ['Access-Control-Request-Method', 'POST'],
            ['Origin', 'https://evil.example'],
          ],
        }),
      );
      expect(answer.headers.get('allow')).toBe(allow);
    }
  });

  it('lets no header or member stand for the method', async () => {
    const overrides: [string, string][] = [
      ['X-HTTP-Method-Override', 'POST'],
      ['X-HTTP-Method', 'POST'],
      ['X-Method-Override', 'POST'],
    ];
    await expectRefused(sides.current, name, refusal(405, 'method_not_allowed'), async () =>
      call(sides.current, name, 'sts', {
        method: 'GET',
        headers: [bearer(await token()), jsonType, ...overrides],
      }),
    );
    await expectRefused(sides.current, name, refusal(405, 'method_not_allowed'), async () =>
      call(sides.current, name, 'handlers', {
        method: 'POST',
        headers: [bearer(await token()), jsonType, ['X-HTTP-Method-Override', 'GET']],
        body: `{"_method":"GET"}`,
      }),
    );
  });

  it('answers HEAD as GET without the body, and with the same checks', async () => {
    const head = async (headers: [string, string][]) => {
      const target = sides.current[name].path('handlers');
      const [answer] = await exchange(
        sides.current[name].url,
        bytesOf(sides.current[name].url, { method: 'HEAD', target, headers }),
      );
      return answer!;
    };
    const good = await head([bearer(await token())]);
    expect([good.status, good.text]).toEqual([200, '']);
    const without = await head([]);
    expect([without.status, without.text, without.headers.get('www-authenticate')]).toEqual([
      401,
      '',
      'Bearer',
    ]);
  });

  it('repeats of a caller’s headers its request id alone, where that is one', async () => {
    const given: [value: string, kept: boolean][] = [
      ['abc-123_4.5:6', true],
      ['x'.repeat(128), true],
      ['x'.repeat(129), false],
      ['a b', false],
      ['a%0d%0aSet-Cookie: a=b', false],
      ['<script>', false],
      ['a, b', false],
      ['\xff', false],
      ['', false],
    ];
    for (const [value, kept] of given) {
      const { headers } = await call(sides.current, name, 'handlers', {
        headers: [
          bearer(await token()),
          ['X-Request-Id', value],
          ['traceparent', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01<evil>`],
          ['Cookie', 'a=b'],
        ],
      });
      expect(headers.get('x-request-id') === value).toBe(kept);
      expect(headers.get('x-request-id')).toMatch(/^[\w.:-]{1,128}$/);
      expect([...headers.keys()].toSorted()).toEqual([
        'cache-control',
        'connection',
        'content-length',
        'content-type',
        'date',
        'x-content-type-options',
        'x-request-id',
      ]);
      const line = sides.current[name].lines.at(-1);
      expect(line).not.toHaveProperty('traceparent');
    }
  });

  it('has neither started nor recorded anything for all that', async () => {
    expect([sides.current.spawned(), await sides.current.audit.list()]).toEqual([0, []]);
    // And was able to: the same request without a flaw mints.
    expect((await call(sides.current, name, 'preview', { body: goodBody })).status).toBe(200);
  });
});
