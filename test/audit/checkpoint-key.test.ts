/** The files of the key pair that signs checkpoints. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeCheckpointKey, readPrivateKey, readPublicKey } from '../../src/audit/checkpoint-key.js';
import type { CloudCliError } from '../../src/errors.js';
import { temporaryDirectory } from '../support.js';

const newFile = () => join(temporaryDirectory(), 'audit.key');

function failureOf(work: () => unknown): CloudCliError {
  try {
    work();
  } catch (error) {
    return error as CloudCliError;
  }
  throw new Error('it did not fail');
}

describe('a new key', () => {
  it.each([0o000, 0o077, 0o277])('is its owner’s alone, its public half is not, under umask %o', (umask) => {
    const file = newFile();
    const before = process.umask(umask);
    try {
      makeCheckpointKey(file);
    } finally {
      process.umask(before);
    }
    expect([file, `${file}.pub`].map((name) => statSync(name).mode & 0o777)).toEqual([0o600, 0o644]);
    const [secret, open] = [readFileSync(file, 'utf8'), readFileSync(`${file}.pub`, 'utf8')];
    expect(secret).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(open).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
    expect(createPublicKey(readPrivateKey(file)).equals(readPublicKey(`${file}.pub`))).toBe(true);
  });

  it('takes the place of none, nor of a public one', () => {
    for (const name of ['', '.pub']) {
      const file = newFile();
      writeFileSync(`${file}${name}`, 'kept');
      expect(failureOf(() => makeCheckpointKey(file))).toMatchObject({
        code: 'invalid_request',
        message: `key: ${file}${name} exists already`,
      });
      expect(readFileSync(`${file}${name}`, 'utf8')).toBe('kept');
      expect(existsSync(`${file}${name === '' ? '.pub' : ''}`)).toBe(false);
    }
  });

  it('needs a directory that is there', () => {
    const file = join(newFile(), 'audit.key');
    expect(failureOf(() => makeCheckpointKey(file))).toMatchObject({
      code: 'invalid_request',
      message: `key: ${file} cannot be written (ENOENT)`,
    });
  });
});

describe('a private key', () => {
  it.each([0o640, 0o604, 0o620, 0o666])('that others can open, by mode %o, is refused', (mode) => {
    const file = newFile();
    makeCheckpointKey(file);
    chmodSync(file, mode);
    expect(failureOf(() => readPrivateKey(file))).toMatchObject({
      code: 'invalid_request',
      message: `key: ${file} can be opened by other users`,
      hint: `Run: chmod 600 ${file}`,
    });
  });

  it.skipIf(process.getuid?.() !== 0)('of another user is refused (needs root to make one)', () => {
    const file = newFile();
    makeCheckpointKey(file);
    chownSync(file, 12345, 12345);
    expect(failureOf(() => readPrivateKey(file)).message).toBe(`key: ${file} belongs to another user`);
  });

  it('may be a JWK, as the public one may', () => {
    const file = newFile();
    const pair = generateKeyPairSync('ed25519');
    writeFileSync(file, JSON.stringify(pair.privateKey.export({ format: 'jwk' })), { mode: 0o600 });
    writeFileSync(`${file}.pub`, JSON.stringify(pair.publicKey.export({ format: 'jwk' })));
    expect(readPrivateKey(file).equals(pair.privateKey)).toBe(true);
    expect(readPublicKey(`${file}.pub`).equals(pair.publicKey)).toBe(true);
  });

  it('that is none is refused, in words that do not quote it', () => {
    const pem = { type: 'pkcs8', format: 'pem' } as const;
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const texts = {
      rsa: rsa.privateKey.export(pem),
      'under a passphrase': privateKey.export({ ...pem, cipher: 'aes-256-cbc', passphrase: 'open-sesame' }),
      public: publicKey.export({ type: 'spki', format: 'pem' }),
      jwk: '{"kty":"OKP","crv":"Ed25519","d":"open-sesame"}',
      text: 'open-sesame',
      nothing: '',
    };
    for (const [what, text] of Object.entries(texts)) {
      const file = newFile();
      writeFileSync(file, text, { mode: 0o600 });
      const { code, message, hint, cause } = failureOf(() => readPrivateKey(file));
      expect([what, code, message]).toEqual([
        what,
        'invalid_request',
        `key: ${file} holds no Ed25519 private key`,
      ]);
      expect([hint.includes('open-sesame'), cause]).toEqual([false, undefined]);
    }
  });

  it('that is missing is said to be, with how to make one', () => {
    const file = newFile();
    expect(failureOf(() => readPrivateKey(file))).toMatchObject({
      code: 'invalid_request',
      message: `key: ${file} cannot be read (ENOENT)`,
      hint: expect.stringContaining('--new-key'),
    });
    mkdirSync(file);
    expect(failureOf(() => readPublicKey(file)).message).toBe(`public_key: ${file} cannot be read (EISDIR)`);
  });
});
