/** What is encrypted with Node's own crypto, read by age-encryption: the reference that is never used to write it. */
import * as age from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { encryptX25519, recipientOfX25519 } from '../../src/stores/age-x25519.js';

const extra = { type: 'example.com/extra', body: Buffer.alloc(48, 'x') };

async function pair() {
  const identity = await age.generateX25519Identity();
  return { identity, recipient: await age.identityToRecipient(identity) };
}

function decrypt(file: Uint8Array, identity: string): Promise<Uint8Array> {
  const decrypter = new age.Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(file);
}

describe('encryptX25519', () => {
  it.each([0, 1, 1000, 65_535, 65_536, 65_537, 131_072, 200_000])(
    'writes %i bytes as age reads them',
    async (length) => {
      const { identity, recipient } = await pair();
      const plaintext = Buffer.alloc(length, 'secret ');
      const file = encryptX25519(plaintext, [recipient], extra);
      expect(Buffer.from(await decrypt(file!, identity)).equals(plaintext)).toBe(true);
    },
  );

  it.each([0, 1, 47, 48, 49, 96, 3000])('keeps an extra stanza of %i bytes', async (length) => {
    const { identity, recipient } = await pair();
    const file = encryptX25519(Buffer.from('secret'), [recipient], {
      ...extra,
      body: Buffer.alloc(length, 'x'),
    });
    expect(Buffer.from(await decrypt(file!, identity)).toString()).toBe('secret');
  });

  it('encrypts to each of several recipients, and to nobody else', async () => {
    const [first, second, third] = await Promise.all([pair(), pair(), pair()]);
    const file = encryptX25519(Buffer.from('secret'), [first.recipient, second.recipient], extra)!;
    for (const { identity } of [first, second])
      expect(Buffer.from(await decrypt(file, identity)).toString()).toBe('secret');
    await expect(decrypt(file, third.identity)).rejects.toThrow('no identity matched');
  });

  it('shares nothing between two files', async () => {
    const { recipient } = await pair();
    const [one, other] = [1, 2].map(() => encryptX25519(Buffer.from('secret'), [recipient], extra)!);
    expect(one!.subarray(-38).equals(other!.subarray(-38))).toBe(false);
  });

  it('leaves every other kind of recipient to others', async () => {
    const { recipient } = await pair();
    const hybrid = await age.identityToRecipient(await age.generateHybridIdentity());
    const damaged = recipient.replace(/.$/, (last) => (last === 'q' ? 'p' : 'q'));
    for (const each of [hybrid, damaged, recipient.toUpperCase(), `${recipient}q`, 'age1', ''])
      expect([each, encryptX25519(Buffer.of(), [recipient, each], extra)]).toEqual([each, undefined]);
  });

  it('refuses a point of low order, whose shared secret anybody would know', () => {
    // The recipient of 32 zero bytes.
    const zero = 'age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z';
    expect(() => encryptX25519(Buffer.of(), [zero], extra)).toThrow();
  });
});

describe('recipientOfX25519', () => {
  it('finds what age-keygen -y would', async () => {
    for (let round = 0; round < 20; round++) {
      const { identity, recipient } = await pair();
      expect(recipientOfX25519(identity)).toBe(recipient);
    }
  });

  it('knows nothing of other texts', async () => {
    const { identity } = await pair();
    const hybrid = await age.generateHybridIdentity();
    const damaged = identity.replace(/.$/, (last) => (last === 'Q' ? 'P' : 'Q'));
    for (const each of [hybrid, damaged, identity.toLowerCase(), identity.slice(1), 'AGE-SECRET-KEY-1', ''])
      expect([each, recipientOfX25519(each)]).toEqual([each, undefined]);
  });
});
