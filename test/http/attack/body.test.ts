/** Bodies that are too large, of another type, or that two readers would read differently. */
import { describe, expect, it } from 'vitest';
import { requests } from '../../support.js';
import {
  bearer,
  call,
  expectRefused,
  goodBody,
  jsonType,
  type Refusal,
  refusal,
  type SideName,
  sideNames,
  useSides,
} from './sides.js';
import { exchange } from './wire.js';

const sides = useSides();

const tooLarge = refusal(413, 'payload_too_large');
const badType = refusal(415, 'unsupported_media_type');
const badRequest = refusal(400, 'invalid_request');

/** The good request with members added as JSON text. */
const withMembers = (text: string) => `${goodBody.slice(0, -1)},${text}}`;
const sized = (bytes: number) => goodBody + ' '.repeat(bytes - goodBody.length);
const chunked = (text: string, size = 1000) => {
  const chunks = text.match(new RegExp(`.{1,${size}}`, 'gs')) ?? [];
  return `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`;
};

/** Refused by the side itself; the field that its issue names, where it names one. */
const bodies: [name: string, Refusal, body: string | Uint8Array, field?: string][] = [
  ['16385 bytes', tooLarge, sized(16_385)],
  ['a megabyte', tooLarge, sized(1024 * 1024)],
  ['nothing', badRequest, '', 'body'],
  ['half of an object', badRequest, goodBody.slice(0, -1), 'body'],
  ['two objects', badRequest, goodBody + goodBody, 'body'],
  ['text', badRequest, '"aws"', 'body'],
  ['null', badRequest, 'null', 'body'],
  ['a list', badRequest, `[${goodBody}]`, 'body'],
  ['a list 8000 deep', badRequest, '['.repeat(8000), 'body'],
  ['33 levels', badRequest, withMembers(`"x":${'['.repeat(32)}${']'.repeat(32)}`), 'body'],
  // Where JSON is written anew by recursion, this is too deep.
  ['7000 levels', badRequest, withMembers(`"x":${'['.repeat(7000)}${']'.repeat(7000)}`), 'body'],
  ['NaN', badRequest, withMembers('"timeout_seconds":NaN'), 'body'],
  ['a comment', badRequest, `/**/${goodBody}`, 'body'],
  ['single quotes', badRequest, goodBody.replaceAll('"', "'"), 'body'],
  ['a byte order mark', badRequest, `\ufeff${goodBody}`, 'body'],
  ['UTF-16', badRequest, Buffer.from(goodBody, 'utf16le'), 'body'],
  ['a byte that is no UTF-8', badRequest, Buffer.from(withMembers('"reason":"\xff"'), 'latin1'), 'body'],
  ['an overlong slash', badRequest, Buffer.from(withMembers('"reason":"\xc0\xaf"'), 'latin1'), 'body'],
  ['a surrogate in UTF-8', badRequest, Buffer.from(withMembers('"reason":"\xed\xa0\x80"'), 'latin1'), 'body'],
  ['NUL behind it', badRequest, `${goodBody}\0`, 'body'],
  ['a line break inside a text', badRequest, withMembers('"reason":"a\nb"'), 'body'],
  ['a member twice', badRequest, withMembers('"provider":"gcp"'), 'provider'],
  ['a member twice with one value', badRequest, withMembers('"provider":"aws"'), 'provider'],
  ['a member twice, once escaped', badRequest, withMembers('"\\u0070rovider":"gcp"'), 'provider'],
  ['a member twice, both escaped', badRequest, '{"\\u0061":1,"\\u0061":2}', 'a'],
  [
    'a member twice, the second behind a blank',
    badRequest,
    withMembers('"provider" \t\r\n:"gcp"'),
    'provider',
  ],
  ['a member twice in a nested object', badRequest, withMembers('"tags":{"a":"1","a":"2"}'), 'a'],
  ['a member twice in an object of a list', badRequest, withMembers('"x":[{},{"b":[{}],"b":1}]'), 'b'],
  ['__proto__ twice', badRequest, '{"__proto__":1,"__proto__":2}', '__proto__'],
  ['an empty name twice', badRequest, '{"":1,"":2}', '(empty)'],
  [
    'a name twice that would forge a line of a log',
    badRequest,
    '{"a\\r\\nb\\u202e":1,"a\\r\\nb\\u202e":2}',
    'a??b?',
  ],
];

/** Well-formed, so that the admin side hands it on; the fields that the controller's issues name. */
const requestsRefused: [name: string, body: string, fields: string[]][] = [
  ['an empty object', '{}', ['provider']],
  ['__proto__', withMembers('"__proto__":{"provider":"gcp","timeout_seconds":1}'), ['__proto__']],
  ['constructor', withMembers('"constructor":{"prototype":{"polluted":true}}'), ['constructor']],
  [
    'toString and hasOwnProperty',
    withMembers('"toString":1,"hasOwnProperty":1'),
    ['toString', 'hasOwnProperty'],
  ],
  ['provider __proto__', '{"provider":"__proto__"}', ['provider']],
  ['provider constructor', '{"provider":"constructor"}', ['provider']],
  ['provider as a list', '{"provider":["aws"]}', ['provider']],
  ['__proto__ in a map', withMembers('"tags":{"__proto__":"x"}'), ['tags']],
  ['an object 31 deep', withMembers(`"x":${'{"x":'.repeat(30)}1${'}'.repeat(30)}`), ['x']],
  ['a lone surrogate', withMembers('"reason":"\\ud800"'), ['reason']],
  ['NUL', withMembers('"reason":"a\\u0000b"'), ['reason']],
  ['line breaks', withMembers('"reason":"a\\r\\nb"'), ['reason']],
  ['a direction mark', withMembers('"reason":"a\\u202eb"'), ['reason']],
  ['NUL in what is spawned', goodBody.replace('role/deploy', 'role/de\\u0000ploy'), ['role_arn']],
  ['an option instead of a value', goodBody.replace(/arn:[^"]*/, '--debug'), ['role_arn']],
  ['a file to read', goodBody.replace(/arn:[^"]*/, 'file:///etc/passwd'), ['role_arn']],
  ['a number that is none', withMembers('"timeout_seconds":1e999'), ['timeout_seconds']],
  ['a number as text', withMembers('"timeout_seconds":"1"'), ['timeout_seconds']],
  ['a run id that leads elsewhere', withMembers('"run_id":"../../healthz"'), ['run_id']],
  [
    'a run id with a line break',
    withMembers('"run_id":"01936b1e-4c00-7d3a-9c1e-2f6b8f0a4d11\\r\\nX: y"'),
    ['run_id'],
  ],
  ['a run id that is null', withMembers('"run_id":null'), ['run_id']],
  ['an actor of its own', withMembers('"actor":"root@example.com"'), ['actor']],
];

const types: [string, string][][] = [
  [],
  [['Content-Type', '']],
  [['Content-Type', 'text/plain']],
  [['Content-Type', 'text/json']],
  [['Content-Type', 'application/x-www-form-urlencoded']],
  [['Content-Type', 'multipart/form-data; boundary=x']],
  [['Content-Type', 'application/json-patch+json']],
  [['Content-Type', 'application/problem+json']],
  [['Content-Type', 'application/jsonx']],
  [['Content-Type', 'application/json, text/plain']],
  [['Content-Type', 'text/plain; application/json']],
  [['Content-Type', 'application/json; charset=utf-16']],
  [['Content-Type', 'application/json; charset=utf-7']],
  [['Content-Type', 'application/json; charset=utf-8; charset=utf-7']],
  [['Content-Type', 'application/json; boundary=x']],
  [['Content-Type', 'text/plain'], jsonType],
  [jsonType, ['Content-Type', 'text/plain']],
  [jsonType, ['Content-Encoding', 'gzip']],
  [jsonType, ['Content-Encoding', 'identity, gzip']],
  [jsonType, ['Content-Encoding', 'utf-7']],
];

const typesTaken = [
  'application/json',
  'APPLICATION/JSON',
  'application/json;charset=UTF-8',
  'application/json; charset="utf-8"',
  'application/json ;',
];

const post = async (name: SideName, body: string | Uint8Array, headers: [string, string][] = [jsonType]) =>
  call(sides.current, name, 'sts', {
    headers: [bearer(await sides.current.issuer.token()), ...headers],
    body,
  });

describe.each(sideNames)('the %s', (name: SideName) => {
  it.each(bodies)('refuses a body of %s', async (_, expected, body, field) => {
    const answer = await expectRefused(sides.current, name, expected, () => post(name, body));
    expect(answer.body.issues?.map((issue: { field: string }) => issue.field)).toEqual(field && [field]);
  });

  it.each(requestsRefused)('refuses a request with %s', async (_, body, fields) => {
    const answer = await expectRefused(sides.current, name, badRequest, () => post(name, body), {
      passes: true,
    });
    expect(answer.body.issues.map((issue: { field: string }) => issue.field)).toEqual(fields);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it.each(types)('refuses the headers %o %o', async (...headers) => {
    const answer = await expectRefused(sides.current, name, badType, () => post(name, goodBody, headers));
    expect(answer.headers.get('accept')).toBe('application/json');
  });

  it('takes JSON in UTF-8 however that is spelt, of exactly 16384 bytes too', async () => {
    const token = await sides.current.issuer.token();
    const preview = (body: string, type: [string, string]) =>
      call(sides.current, name, 'preview', { headers: [bearer(token), type], body });
    for (const type of typesTaken)
      expect([type, (await preview(goodBody, ['Content-Type', type])).status]).toEqual([type, 200]);
    expect((await preview(sized(16_384), jsonType)).status).toBe(200);
    const sameNames = JSON.stringify({ ...requests.aws(), reason: '"reason":{"a":1,"a":[{[{' });
    expect((await preview(sameNames, jsonType)).status).toBe(200);
  });

  it('counts the bytes of a chunked body too, and stops reading one that has no end', async () => {
    const token = await sides.current.issuer.token();
    const send = (body: string) =>
      call(sides.current, name, 'preview', {
        headers: [bearer(token), jsonType, ['Transfer-Encoding', 'chunked']],
        body,
      });
    expect((await send(chunked(sized(16_384)))).status).toBe(200);
    await expectRefused(sides.current, name, tooLarge, () => send(chunked(sized(16_385))));
    await expectRefused(sides.current, name, tooLarge, () => send(chunked(sized(16_385), 1)));
  });

  it('answers a length that lies by what it says, without waiting for the rest', async () => {
    const token = await sides.current.issuer.token();
    await expectRefused(sides.current, name, tooLarge, () =>
      call(sides.current, name, 'sts', {
        headers: [bearer(token), jsonType, ['Content-Length', '999999999999']],
        body: goodBody,
      }),
    );
    // What is longer than it says is another call, and that is none.
    const { host } = new URL(sides.current[name].url);
    const head = `POST ${sides.current[name].path('preview')} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n`;
    const [first, second] = await exchange(
      sides.current[name].url,
      `${head}Content-Type: application/json\r\nContent-Length: ${goodBody.length}\r\n\r\n${goodBody}{"x":1}\r\n\r\n`,
    );
    expect([first?.status, second?.status]).toEqual([200, 400]);
  });

  it('mints for no body but one that it took', async () => {
    expect(sides.current.spawned()).toBe(0);
    expect(await sides.current.audit.list()).toEqual([]);
  });
});
