/** Bytes that two readers would frame differently, and clients that never come to an end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { until } from '../../support.js';
import {
  bearer,
  call,
  expectProblem,
  goodBody,
  jsonType,
  type Refusal,
  refusal,
  type SideName,
  sideNames,
  useSides,
  withoutTrace,
} from './sides.js';
import { answersOn, bytesOf, exchange, open } from './wire.js';

const sides = useSides();

const malformed = refusal(400, 'invalid_request');
/** What a smuggler would have the server, or the next caller, take for a call of its own. */
const smuggled = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n';
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
const length = (text: string) => `Content-Length: ${text.length}\r\n`;

/** Each has all headers of a good call before it; the first CRLF CRLF ends them. */
const shapes: [name: string, rest: string][] = [
  [
    'both lengths, chunked last',
    `${length('0\r\n\r\n')}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  [
    'both lengths, chunked first',
    `Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  ['two lengths', `Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}${smuggled}`],
  ['two lengths that agree', `Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`],
  ['a list of lengths', 'Content-Length: 2, 2\r\n\r\n{}'],
  ['a negative length', `Content-Length: -1\r\n\r\n${smuggled}`],
  ['a length with a sign', 'Content-Length: +2\r\n\r\n{}'],
  ['a hexadecimal length', 'Content-Length: 0x2\r\n\r\n{}'],
  ['a length with a fraction', 'Content-Length: 2.0\r\n\r\n{}'],
  ['a length beyond all numbers', `Content-Length: ${'9'.repeat(40)}\r\n\r\n{}`],
  ['an empty length', 'Content-Length: \r\n\r\n{}'],
  ['a blank before the colon', `Transfer-Encoding : chunked\r\n\r\n${chunk('{}')}0\r\n\r\n`],
  ['a transfer coding that is none', `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['chunked that is not last', `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`],
  ['chunked with a control character', `Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['identity', `Transfer-Encoding: identity\r\n${length(smuggled)}\r\n${smuggled}`],
  ['a chunk size that is none', `Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`],
  ['a chunk size with 0x', `Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n`],
  ['a negative chunk size', `Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n`],
  ['a chunk longer than it says', `Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n`],
  [
    'a chunk size beyond all numbers',
    `Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(20)}\r\n{}\r\n0\r\n\r\n`,
  ],
  ['a chunk extension without an end', `Transfer-Encoding: chunked\r\n\r\n2;${'x'.repeat(40_000)}\r\n{}\r\n`],
  ['a header folded over two lines', `X-A: b\r\n c: d\r\nContent-Length: 2\r\n\r\n{}`],
  ['a header without a colon', `Evil\r\nContent-Length: 2\r\n\r\n{}`],
  ['a header without a name', `: evil\r\nContent-Length: 2\r\n\r\n{}`],
  ['a header name with a blank', `X Evil: y\r\nContent-Length: 2\r\n\r\n{}`],
  ['NUL in a header', `X-Evil: a\0b\r\nContent-Length: 2\r\n\r\n{}`],
  ['a lone CR in a header', `X-Evil: a\rSet-Cookie: b=c\r\nContent-Length: 2\r\n\r\n{}`],
  ['a lone LF at the end of a line', `X-Evil: a\nTransfer-Encoding: chunked\nContent-Length: 2\r\n\r\n{}`],
];

/** No HTTP/1.1 at all. */
const noise: [name: string, bytes: string, Refusal?][] = [
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a TLS hello', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03'],
  ['another version', 'GET /healthz HTTP/3.7\r\nHost: localhost\r\n\r\n'],
  ['HTTP/0.9', 'GET /healthz\r\n\r\n'],
  ['a lower-case method', 'get /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['a method that is none', 'TRACK /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['a blank in the target', 'GET /health z HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['NUL in the target', 'GET /health\0z HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
  ['a target without a slash', 'GET healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
  ['another scheme', 'GET ftp://localhost/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
  ['a target of 200 kilobytes', `GET /${'x'.repeat(200_000)} HTTP/1.1\r\n`, refusal(431, 'invalid_request')],
  [
    'headers without an end',
    `GET /healthz HTTP/1.1\r\n${`X-Long: ${'y'.repeat(90)}\r\n`.repeat(500)}`,
    refusal(431, 'invalid_request'),
  ],
  [
    'an expectation that nobody meets',
    'POST /cloud-cli/sts HTTP/1.1\r\nHost: localhost\r\nExpect: 200-ok\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}',
    refusal(417, 'invalid_request'),
  ],
];

/** A POST's beginning, up to what says how long its body is. */
async function headOf(name: SideName, route: string, type = jsonType[1]): Promise<string> {
  const { url, path } = sides.current[name];
  const token = await sides.current.issuer.token();
  return `POST ${path(route)} HTTP/1.1\r\nHost: ${new URL(url).host}\r\nAuthorization: Bearer ${token}\r\nContent-Type: ${type}\r\n`;
}

describe.each(sideNames)('the %s', (name: SideName) => {
  it.each(shapes)('answers %s once, refuses it, and ends the connection', async (_, rest) => {
    const head = await headOf(name, 'sts');
    const answers = await withoutTrace(sides.current, () =>
      exchange(sides.current[name].url, Buffer.from(head + rest, 'latin1')),
    );
    expect(answers).toHaveLength(1);
    expectProblem(answers[0]!, malformed);
    expect(answers[0]!.headers.get('connection')).toBe('close');
  });

  it.each(noise)('answers %s with a refusal', async (_, bytes, expected = malformed) => {
    const answers = await exchange(sides.current[name].url, Buffer.from(bytes, 'latin1'));
    expect(answers).toHaveLength(1);
    expectProblem(answers[0]!, expected);
  });

  it('opens no tunnel', async () => {
    const target = 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n';
    const answers = await exchange(sides.current[name].url, target);
    expect(answers.map(({ status }) => status).filter((status) => status < 400)).toEqual([]);
  });

  it('keeps HTTP/1.1 where a client asks to go on with something else', async () => {
    const { headers, status } = await call(sides.current, name, 'handlers', {
      headers: [
        bearer(await sides.current.issuer.token()),
        ['Connection', 'Upgrade, HTTP2-Settings, close'],
        ['Upgrade', 'h2c, websocket'],
        ['HTTP2-Settings', 'AAMAAABkAAQAoAAAAAIAAAAA'],
      ],
    });
    expect([status, headers.get('upgrade')]).toEqual([200, null]);
  });

  it('takes for the body of a GET what its length says, not for the next call', async () => {
    const target = sides.current[name].path('handlers');
    const headers = [bearer(await sides.current.issuer.token())];
    const answers = await exchange(
      sides.current[name].url,
      bytesOf(sides.current[name].url, { method: 'GET', target, headers, body: smuggled }),
    );
    expect(answers.map(({ status }) => status)).toEqual([200]);
  });

  it('answers calls that stand one behind the other in their order', async () => {
    const head = await headOf(name, 'preview');
    const one = `${head}${length(goodBody)}\r\n${goodBody}`;
    const bad = `${head}${length('{}')}\r\n{}`;
    const last = smuggled.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
    const answers = await exchange(sides.current[name].url, `${one}${bad}${one}${last}`);
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 200, 200]);
  });
});

/** Writes `first`, then `drop` every half second, until the other side ends the connection. */
async function drip(name: SideName, first: string, drop: string) {
  const socket = await open(sides.current[name].url);
  const started = performance.now();
  socket.write(first);
  const timer = setInterval(() => socket.writable && socket.write(drop), 500);
  const answers = await answersOn(socket);
  clearInterval(timer);
  return { answers, seconds: (performance.now() - started) / 1000 };
}

const late = refusal(408, 'invalid_request');

/**
 * Slow clients of both sides, all at once: each takes as long as it is let. The upper bounds tell one limit from the
 * next, 10 seconds from 30 and 30 from 130, on a machine that is slow itself.
 */
describe.concurrent('a client', () => {
  it('whose headers never end is shown the door after 10 seconds', async ({ expect }) => {
    const drips = sideNames.map(async (name) => drip(name, await headOf(name, 'sts'), 'X: y\r\n'));
    for (const { answers, seconds } of await Promise.all(drips)) {
      expect(answers).toHaveLength(1);
      expectProblem(answers[0]!, late);
      expect(seconds).toBeGreaterThan(9);
      expect(seconds).toBeLessThan(25);
    }
  });

  it('that says nothing is shown the door after 10 seconds', async ({ expect }) => {
    const drips = await Promise.all(sideNames.map((name) => drip(name, '', '')));
    for (const { seconds } of drips) expect(seconds).toBeLessThan(25);
  });

  it('whose body never ends is shown the door after 30 seconds', async ({ expect }) => {
    const drips = sideNames.flatMap((name) => [
      headOf(name, 'sts').then((head) => drip(name, `${head}Content-Length: 16000\r\n\r\n`, ' ')),
      headOf(name, 'sts').then((head) =>
        drip(name, `${head}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n \r\n'),
      ),
    ]);
    for (const { answers, seconds } of await Promise.all(drips)) {
      expect(answers).toHaveLength(1);
      expectProblem(answers[0]!, late);
      expect(seconds).toBeGreaterThan(29);
      expect(seconds).toBeLessThan(60);
    }
  });

  it('that was refused hears nothing more while its body goes on', async ({ expect }) => {
    for (const name of sideNames) {
      const head = await headOf(name, 'sts', 'text/plain');
      const { answers, seconds } = await drip(name, `${head}Content-Length: 16000\r\n\r\n`, ' ');
      expect(answers.map(({ status }) => status)).toEqual([415]);
      expect(seconds).toBeLessThan(25);
    }
  });

  it('is answered while many others are slow', async ({ expect }) => {
    for (const name of sideNames) {
      const { url } = sides.current[name];
      const slow = await Promise.all(Array.from({ length: 200 }, () => open(url)));
      for (const socket of slow) socket.write('POST /cloud-cli/sts HTTP/1.1\r\nHost: localhost\r\nX');
      await sleep(500);
      const started = performance.now();
      expect((await call(sides.current, name, 'handlers')).status).toBe(200);
      // Before the slow ones are shown the door.
      expect(performance.now() - started).toBeLessThan(9000);
      for (const socket of slow) socket.destroy();
    }
  });
});

describe('what the slow clients leave behind', () => {
  it('is no defect in a log, and neither a process nor a row', async () => {
    for (const name of sideNames) {
      const { lines } = sides.current[name];
      await until(() => lines.length > 0);
      expect(lines.filter(({ message }) => message !== 'answered')).toEqual([]);
      expect(lines.filter(({ status }) => Number(status) >= 500 || status === 0)).toEqual([]);
    }
    expect([sides.current.spawned(), await sides.current.audit.list()]).toEqual([0, []]);
  });
});
