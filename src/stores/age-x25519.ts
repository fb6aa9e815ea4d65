/**
 * Encrypts as age does (https://c2sp.org/age) to X25519 recipients, the kind that age-keygen makes, with the crypto that
 * Node has compiled in: in JavaScript it takes longer than the whole rest of a mint. Every other kind of recipient, and
 * all reading, is age-encryption's, which so checks each file that is made here.
 */
import {
  createCipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

/** A stanza of the header that wraps no key. */
export interface ExtraStanza {
  type: string;
  body: Uint8Array;
}

const chunkBytes = 64 * 1024;
const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';

/** `plaintext` encrypted to all `recipients`, or undefined where one of them is not an X25519 recipient. */
export function encryptX25519(
  plaintext: Uint8Array,
  recipients: readonly string[],
  extra: ExtraStanza,
): Buffer | undefined {
  const keys = recipients.map((recipient) => decodeBech32(recipient, 'age'));
  if (!keys.every((key) => key !== undefined)) return undefined;
  const fileKey = randomBytes(16);
  const stanzas = [stanza([extra.type], extra.body), ...keys.map((key) => wrapped(fileKey, key))];
  const header = `age-encryption.org/v1\n${stanzas.join('')}---`;
  const mac = createHmac('sha256', derived(fileKey, '', 'header'))
    .update(header)
    .digest();
  const nonce = randomBytes(16);
  const payload = chunks(plaintext, derived(fileKey, nonce, 'payload'));
  return Buffer.concat([Buffer.from(`${header} ${base64(mac)}\n`), nonce, ...payload]);
}

/** The recipient of an X25519 identity; undefined for another kind. */
export function recipientOfX25519(identity: string): string | undefined {
  const secret = decodeBech32(identity.toLowerCase(), 'age-secret-key-');
  if (!secret || identity !== identity.toUpperCase()) return undefined;
  return encodeBech32('age', rawPublic(createPublicKey(privateKey(secret))));
}

/** The file key, for whoever has the identity of `recipient`. */
function wrapped(fileKey: Buffer, recipient: Buffer): string {
  const ephemeral = generateKeyPairSync('x25519');
  const share = rawPublic(ephemeral.publicKey);
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'X25519', x: recipient.toString('base64url') },
    format: 'jwk',
  });
  // Node refuses a point of low order here, whose shared secret anybody would know.
  const shared = diffieHellman({ privateKey: ephemeral.privateKey, publicKey });
  const key = derived(shared, Buffer.concat([share, recipient]), 'age-encryption.org/v1/X25519');
  return stanza(['X25519', base64(share)], sealed(fileKey, key, Buffer.alloc(12)));
}

/** Each chunk under its number, and the last, which may be the only one, marked as such. */
function chunks(plaintext: Uint8Array, key: Buffer): Buffer[] {
  const count = Math.max(1, Math.ceil(plaintext.length / chunkBytes));
  return Array.from({ length: count }, (_, index) => {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(index, 7);
    nonce[11] = index === count - 1 ? 1 : 0;
    return sealed(plaintext.subarray(index * chunkBytes, (index + 1) * chunkBytes), key, nonce);
  });
}

function sealed(plaintext: Uint8Array, key: Buffer, nonce: Buffer): Buffer {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function derived(secret: Buffer, salt: Buffer | string, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, 32));
}

/** Its body in lines of 64 characters, the last of them shorter, and empty where it would be full. */
function stanza(args: readonly string[], body: Uint8Array): string {
  const lines = `${base64(body)}\n`.replace(/[^\n]{64}/g, '$&\n');
  return `-> ${args.join(' ')}\n${lines}`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}

/** RFC 8410, section 7: what stands before the 32 bytes of an X25519 private key. */
const pkcs8 = Buffer.from('302e020100300506032b656e04220420', 'hex');

function privateKey(secret: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8, secret]), format: 'der', type: 'pkcs8' });
}

function rawPublic(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x as string, 'base64url');
}

/** The 32 bytes of a Bech32 text (BIP 173) with the prefix; undefined for any other text. */
function decodeBech32(text: string, prefix: string): Buffer | undefined {
  if (text.length !== prefix.length + 59 || !text.startsWith(`${prefix}1`)) return undefined;
  const values = [...text.slice(prefix.length + 1)].map((character) => alphabet.indexOf(character));
  if (values.includes(-1) || checksum(prefix, values) !== 1) return undefined;
  // 52 characters of 5 bits hold 32 bytes and 4 bits of padding, which must be 0.
  const bits = values
    .slice(0, -6)
    .map((value) => value.toString(2).padStart(5, '0'))
    .join('');
  if (!bits.endsWith('0000')) return undefined;
  return Buffer.from(
    bits
      .slice(0, 256)
      .match(/.{8}/g)!
      .map((byte) => Number.parseInt(byte, 2)),
  );
}

function encodeBech32(prefix: string, bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const values = bits
    .padEnd(260, '0')
    .match(/.{5}/g)!
    .map((value) => Number.parseInt(value, 2));
  const sum = checksum(prefix, [...values, 0, 0, 0, 0, 0, 0]) ^ 1;
  const check = [25, 20, 15, 10, 5, 0].map((shift) => (sum >>> shift) & 31);
  return `${prefix}1${[...values, ...check].map((value) => alphabet[value]).join('')}`;
}

function checksum(prefix: string, values: readonly number[]): number {
  const codes = [...Buffer.from(prefix)];
  const all = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31), ...values];
  const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
  return all.reduce((sum, value) => {
    const top = sum >>> 25;
    const next = ((sum & 0x1ffffff) << 5) ^ value;
    return generator.reduce((mixed, word, bit) => ((top >> bit) & 1 ? mixed ^ word : mixed), next) >>> 0;
  }, 1);
}
