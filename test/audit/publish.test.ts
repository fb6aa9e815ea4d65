/** Checkpoints on their way out: to files, to servers on loopback, once and on a schedule. */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serve } from '../../fixtures/loopback/serve.mjs';
import type { Head } from '../../src/audit/chain.js';
import { verifyHead } from '../../src/audit/checkpoint.js';
import { destinationOf } from '../../src/audit/destination.js';
import { type PublishEvent, publishHead, publishHeads } from '../../src/audit/publish.js';
import { CloudCliError } from '../../src/errors.js';
import { temporaryDirectory, until } from '../support.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const headAt = (seq: number, hash = 'ab'.repeat(32)): Head => ({ seq, hash });
const newFile = () => join(temporaryDirectory(), 'checkpoints.jws');

/** A receiver that answers with `statuses` in turn, and 200 from then on; `hold` never answers. */
async function startReceiver(...statuses: (number | 'hold')[]) {
  const server = await serve(({ method, url, headers, body }) => {
    const status = statuses.shift() ?? 200;
    const call = { method, path: url.pathname, type: headers['content-type'], body };
    return { call, ...(status === 'hold' ? {} : { reply: { status } }) };
  });
  onTestFinished(() => server.close());
  return server;
}

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: CloudCliError) => error,
  );

describe('a file', () => {
  it('gets one line more each time, and is made at the first', async () => {
    const file = newFile();
    const publish = destinationOf(file);
    for (const line of ['one', 'two', 'three']) await publish(line);
    expect(readFileSync(file, 'utf8')).toBe('one\ntwo\nthree\n');
    expect(statSync(file).mode & 0o133).toBe(0);
  });

  it('that a full disk left with half a line gets the next on a line of its own', async () => {
    const file = newFile();
    writeFileSync(file, 'one\ntw');
    await destinationOf(file)('three');
    expect(readFileSync(file, 'utf8')).toBe('one\ntw\nthree\n');
  });

  it('that cannot be written is said to be', async () => {
    const missing = join(newFile(), 'checkpoints.jws');
    expect(await failureOf(destinationOf(missing)('one'))).toMatchObject({
      code: 'audit_unavailable',
      message: `the checkpoint was not published: ${missing} cannot be written (ENOENT)`,
    });
    expect(await failureOf(destinationOf('/dev/full')('one'))).toMatchObject({
      message: 'the checkpoint was not published: /dev/full cannot be written (ENOSPC)',
    });
  });
});

describe('a URL', () => {
  it('is sent the checkpoint, and again while the server cannot take it', async () => {
    const receiver = await startReceiver(503, 429);
    await destinationOf(`${receiver.url}/heads`)('one');
    const call = { method: 'POST', path: '/heads', type: 'application/jose', body: 'one\n' };
    expect(receiver.calls).toEqual([call, call, call]);
  });

  it('that goes on failing, or refuses, is said to; its path is not, which may be a secret', async () => {
    const failing = await startReceiver(503, 503, 503, 503);
    const refusing = await startReceiver(403);
    for (const [receiver, status, calls] of [
      [failing, 503, 3],
      [refusing, 403, 1],
    ] as const) {
      const failure = await failureOf(destinationOf(`${receiver.url}/open-sesame?open=sesame`)('one'));
      expect(failure).toMatchObject({
        code: 'audit_unavailable',
        message: `the checkpoint was not published: ${receiver.url} answered ${status}`,
      });
      expect(JSON.stringify(failure)).not.toContain('sesame');
      expect(receiver.calls).toHaveLength(calls);
    }
  });

  it('is not followed anywhere else', async () => {
    const elsewhere = await startReceiver();
    const receiver = createServer((_, response) => {
      response.writeHead(307, { location: elsewhere.url }).end();
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void receiver.close().closeAllConnections());
    const { port } = receiver.address() as AddressInfo;
    const failure = await failureOf(destinationOf(`http://127.0.0.1:${port}/`)('one'));
    expect(failure.message).toContain('answered 307');
    expect(elsewhere.calls).toEqual([]);
  });

  it('that never answers is given up after ten seconds', async () => {
    const stuck = await startReceiver('hold');
    expect(await failureOf(destinationOf(stuck.url)('one'))).toMatchObject({
      code: 'audit_unavailable',
      message: `the checkpoint was not published: ${stuck.url} did not answer within 10 s`,
    });
    expect(stuck.calls).toHaveLength(1);
  });

  it('where nobody listens is said to be', async () => {
    const gone = await startReceiver();
    await gone.close();
    expect(await failureOf(destinationOf(gone.url)('one'))).toMatchObject({
      code: 'audit_unavailable',
      message: `the checkpoint was not published: ${gone.url} cannot be reached (ECONNREFUSED)`,
    });
  });

  it('that never answers is left alone when it is over', async () => {
    const stuck = await startReceiver('hold');
    const over = new AbortController();
    const sending = failureOf(destinationOf(stuck.url)('one', over.signal));
    await until(() => stuck.calls.length === 1);
    over.abort();
    await sending;
    expect(stuck.calls).toHaveLength(1);
  });

  it.each([
    'http://example.com/heads',
    'http://127.0.0.1.example.com/',
    'https://user:open-sesame@example.com/',
    'ftp://example.com/heads',
    'https://',
  ])('such as %s is refused before anything is sent', (to) => {
    const refuse = () => destinationOf(to);
    expect(refuse).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    expect(refuse).toThrow(expect.not.objectContaining({ message: expect.stringContaining('sesame') }));
  });
});

describe('a schedule', () => {
  /** Publishes what `heads` give, in turn, every tenth of a second. */
  function start(heads: (Head | Error)[], to: string, every_seconds = 0.1) {
    const events: PublishEvent[] = [];
    const over = new AbortController();
    const ended = publishHeads({
      head: async () => {
        const head = heads.length > 1 ? heads.shift()! : heads[0]!;
        if (head instanceof Error) throw head;
        return head;
      },
      key: privateKey,
      publish: destinationOf(to),
      every_seconds,
      report: (event) => events.push(event),
      signal: over.signal,
    });
    onTestFinished(() => over.abort());
    return { events, ended, stop: () => over.abort() };
  }

  const linesOf = (file: string) => readFileSync(file, 'utf8').trim().split('\n');

  it('publishes at once and at each interval, also where the head has not moved', async () => {
    const file = newFile();
    const started = Date.now();
    const { events, ended, stop } = start([headAt(3), headAt(3), headAt(5)], file);
    await until(() => events.length >= 5);
    stop();
    await ended;
    const checkpoints = await Promise.all(linesOf(file).map((line) => verifyHead(line, publicKey)));
    expect(checkpoints.map(({ seq }) => seq).slice(0, 5)).toEqual([3, 3, 5, 5, 5]);
    // Timers may be a millisecond early.
    expect(Date.parse(events[4]!.at) - started).toBeGreaterThan(395);
  });

  it('goes on over a server that fails and a ledger that is locked, and says so', async () => {
    const receiver = await startReceiver(403, 403);
    const locked = new CloudCliError('audit_unavailable', 'the ledger is locked', { hint: 'Wait.' });
    const { events, ended, stop } = start([headAt(3), headAt(3), locked, headAt(6)], receiver.url);
    await until(() => events.some(({ event }) => event === 'published'));
    stop();
    await ended;
    expect(events.slice(0, 4)).toMatchObject([
      { event: 'failed', code: 'audit_unavailable', message: expect.stringContaining('answered 403') },
      {
        event: 'failed',
        message: expect.stringContaining('answered 403'),
        next_attempt_at: expect.any(String),
      },
      { event: 'failed', message: 'the ledger is locked', hint: 'Wait.' },
      { event: 'published', seq: 6 },
    ]);
    expect(await verifyHead(receiver.calls.at(-1)!.body.trim(), publicKey)).toMatchObject(headAt(6));
  });

  it('signs nothing that does not go on from what it published', async () => {
    const file = newFile();
    const other = headAt(8, 'cd'.repeat(32));
    const { events, ended, stop } = start([headAt(8), headAt(5), other, headAt(9)], file);
    await until(() => events.length >= 4);
    stop();
    await ended;
    expect(events.slice(0, 4)).toMatchObject([
      { event: 'published', seq: 8 },
      { event: 'failed', message: expect.stringContaining('ends at event 5') },
      { event: 'failed', message: expect.stringContaining('ends at event 8') },
      { event: 'published', seq: 9 },
    ]);
    expect(linesOf(file).length).toBe(events.length - 2);
  });

  it('ends while it waits, and while a server keeps it waiting', async () => {
    const idle = start([headAt(3)], newFile(), 3600);
    await until(() => idle.events.length === 1);
    const stuck = await startReceiver('hold');
    const busy = start([headAt(3)], stuck.url, 3600);
    await until(() => stuck.calls.length === 1);
    for (const schedule of [idle, busy]) {
      schedule.stop();
      await schedule.ended;
    }
    expect(busy.events).toEqual([]);
  });

  it('ends on a defect, which no later attempt would mend', async () => {
    const { ended, events } = start([new TypeError('a defect')], newFile());
    await expect(ended).rejects.toThrow('a defect');
    expect(events).toEqual([]);
  });

  it('tries again soon after a failure, however long its interval', async () => {
    const directory = join(temporaryDirectory(), 'late');
    const { events, ended, stop } = start([headAt(3)], join(directory, 'checkpoints.jws'), 3600);
    await until(() => events.length === 1);
    const { at, next_attempt_at } = events[0] as Extract<PublishEvent, { event: 'failed' }>;
    expect(Date.parse(next_attempt_at) - Date.parse(at)).toBeLessThanOrEqual(60_000);
    stop();
    await ended;
  });
});

describe('a single checkpoint', () => {
  it('gives the head that it published', async () => {
    const file = newFile();
    const options = { head: async () => headAt(3), key: privateKey, publish: destinationOf(file) };
    expect(await publishHead(options)).toEqual(headAt(3));
    expect(await verifyHead(readFileSync(file, 'utf8').trim(), publicKey)).toMatchObject(headAt(3));
  });
});
