/** Checkpoints: what passes for one, and what a ledger that was tampered with looks like against them. */
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { CompactSign, UnsecuredJWT } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { genesis, type Head } from '../../src/audit/chain.js';
import { openSqliteAuditStore } from '../../src/audit/sqlite.js';
import { type CloudCliError, signHead, verifyAgainst, verifyHead } from '../../src/index.js';
import { temporaryDirectory } from '../support.js';
import { recordRun } from './contract.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const head: Head = { seq: 8, hash: 'ab'.repeat(32) };
const typ = 'cloud-cli-head+jwt';

const json = (part: string): Record<string, unknown> => JSON.parse(Buffer.from(part, 'base64url').toString());
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = (more: object = {}) => ({ ...head, iat: Math.floor(Date.now() / 1000), ...more });
const sign = (payload: object | string, header: object, key: KeyObject | Uint8Array) =>
  new CompactSign(Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)))
    .setProtectedHeader(header as { alg: string })
    .sign(key);

/** The code with which `work` fails. */
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error: CloudCliError) => error.code,
  );

describe('a checkpoint', () => {
  it('is a compact JWS over the head and the time, under a type of its own', async () => {
    const before = Math.floor(Date.now() / 1000);
    const jws = await signHead(head, privateKey);
    const [header, payload] = jws.split('.').map((part, index) => (index < 2 ? json(part) : {}));
    expect(header).toEqual({ alg: 'EdDSA', typ });
    expect(payload).toEqual({ ...head, iat: expect.any(Number) });
    expect(payload!.iat).toBeGreaterThanOrEqual(before);
    const signed_at = new Date((payload!.iat as number) * 1000).toISOString();
    expect(await verifyHead(jws, publicKey)).toEqual({ ...head, signed_at });
  });

  it('of the public key’s pair alone verifies', async () => {
    const other = generateKeyPairSync('ed25519');
    const jws = await signHead(head, other.privateKey);
    await expect(verifyHead(jws, publicKey)).rejects.toMatchObject({
      code: 'invalid_request',
      message: 'head: is no checkpoint that this key signed',
    });
    expect(await verifyHead(jws, createPublicKey(other.privateKey))).toMatchObject(head);
  });

  it('is refused when it is forged, edited, or something else that the key signed', async () => {
    const [header, payload, signature] = (await signHead(head, privateKey)).split('.');
    const spki = publicKey.export({ type: 'spki', format: 'pem' });
    const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = generateKeyPairSync('ed25519');
    const forged: Record<string, string | Promise<string>> = {
      'an edited head': [header, encoded(claims({ seq: 5 })), signature].join('.'),
      'an edited header': [encoded({ alg: 'EdDSA', typ, kid: 'x' }), payload, signature].join('.'),
      'another signature': [header, payload, `AAAA${signature!.slice(4)}`].join('.'),
      'no signature': `${header}.${payload}.`,
      'alg none': [encoded({ alg: 'none', typ }), payload, ''].join('.'),
      'alg none, as jose makes it': new UnsecuredJWT(claims()).encode(),
      'an HMAC with the public key’s PEM': sign(claims(), { alg: 'HS256', typ }, Buffer.from(spki)),
      'an HMAC with the public key’s bytes': sign(claims(), { alg: 'HS256', typ }, raw),
      'RS256 with a key of its own': sign(claims(), { alg: 'RS256', typ }, rsa.privateKey),
      'a key in its own header': sign(
        claims(),
        { alg: 'EdDSA', typ, jwk: jwk.publicKey.export({ format: 'jwk' }) },
        jwk.privateKey,
      ),
      'another type': sign(claims(), { alg: 'EdDSA', typ: 'JWT' }, privateKey),
      'no type': sign(claims(), { alg: 'EdDSA' }, privateKey),
      'no head': sign({ iat: 1 }, { alg: 'EdDSA', typ }, privateKey),
      'no time': sign(head, { alg: 'EdDSA', typ }, privateKey),
      'a time that is none': sign(claims({ iat: 1e300 }), { alg: 'EdDSA', typ }, privateKey),
      'a hash that is none': sign(claims({ hash: 'AB'.repeat(32) }), { alg: 'EdDSA', typ }, privateKey),
      'a place that is none': sign(claims({ seq: -1 }), { alg: 'EdDSA', typ }, privateKey),
      'no JSON': sign('a text', { alg: 'EdDSA', typ }, privateKey),
      'no claims': sign('null', { alg: 'EdDSA', typ }, privateKey),
      'no JWS': 'a text',
      nothing: '',
    };
    for (const [what, jws] of Object.entries(forged))
      expect([what, await codeOf(verifyHead(await jws, publicKey))]).toEqual([what, 'invalid_request']);
  });

  it('takes an Ed25519 key of the right half, and no other', async () => {
    const others = [generateKeyPairSync('rsa', { modulusLength: 2048 }), generateKeyPairSync('ed448')];
    for (const key of [publicKey, ...others.map((pair) => pair.privateKey)])
      expect(await codeOf(signHead(head, key))).toBe('invalid_request');
    const jws = await signHead(head, privateKey);
    for (const key of [privateKey, ...others.map((pair) => pair.publicKey)])
      expect(await codeOf(verifyHead(jws, key))).toBe('invalid_request');
  });
});

describe('a ledger against its checkpoints', () => {
  async function newLedger() {
    const file = join(temporaryDirectory(), 'audit.sqlite');
    const ledger = await openSqliteAuditStore(file);
    onTestFinished(() => ledger.close());
    const checkpoints: Head[] = [];
    return {
      ledger,
      record: async () => {
        await recordRun(ledger);
        checkpoints.push(await verifyHead(await signHead(await ledger.head(), privateKey), publicKey));
      },
      checkpoints,
      tamper: (sql: string) => {
        const db = new Database(file);
        db.exec(
          `DROP TRIGGER IF EXISTS event_is_not_updated; DROP TRIGGER IF EXISTS event_is_not_deleted; ${sql}`,
        );
        db.close();
      },
    };
  }

  it('verifies as it grows, from the empty chain on', async () => {
    const { ledger, record, checkpoints } = await newLedger();
    checkpoints.push(await ledger.head());
    expect(checkpoints).toEqual([{ seq: 0, hash: genesis }]);
    for (let run = 0; run < 3; run += 1) await record();
    for (const saved of [[], ...checkpoints.map((one) => [one]), checkpoints, checkpoints.toReversed()])
      expect(await verifyAgainst(ledger, saved)).toMatchObject({ ok: true, events: 9 });
  });

  it('shows that its end was cut off', async () => {
    const { ledger, record, checkpoints, tamper } = await newLedger();
    for (let run = 0; run < 3; run += 1) await record();
    tamper('DELETE FROM event WHERE seq > 7');
    expect(await ledger.verify()).toMatchObject({ ok: true });
    expect(await verifyAgainst(ledger, checkpoints)).toMatchObject({
      ok: false,
      problem: 'the chain ends at event 7, before the saved head at 9: its end was cut off',
    });
    expect(await verifyAgainst(ledger, checkpoints.slice(0, 2))).toMatchObject({ ok: true });
  });

  it('shows that its end was cut off though it has grown again, and was signed again', async () => {
    const { ledger, record, checkpoints, tamper } = await newLedger();
    for (let run = 0; run < 2; run += 1) await record();
    tamper('DELETE FROM event WHERE seq > 3');
    for (let run = 0; run < 2; run += 1) await record();
    expect(checkpoints.map(({ seq }) => seq)).toEqual([3, 6, 6, 9]);
    // The chain is whole, and the last checkpoint is of it: only the one before the cut tells.
    expect(await verifyAgainst(ledger, checkpoints.slice(-1))).toMatchObject({ ok: true });
    expect(await verifyAgainst(ledger, checkpoints)).toMatchObject({
      ok: false,
      problem: 'event 6 is not the one that a checkpoint names: the chain was replaced',
    });
  });

  it('shows an edit all the same', async () => {
    const { ledger, record, checkpoints, tamper } = await newLedger();
    for (let run = 0; run < 2; run += 1) await record();
    tamper("UPDATE event SET body = replace(body, 'operator', 'nobody') WHERE seq = 4");
    expect(await verifyAgainst(ledger, checkpoints)).toMatchObject({
      ok: false,
      problem: expect.stringContaining('event 4 was changed'),
    });
  });
});
