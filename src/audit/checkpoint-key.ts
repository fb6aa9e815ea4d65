/** The key pair of checkpoints: an Ed25519 key in a file that is its owner's alone, and its public half beside it. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { type CloudCliError, invalidRequest } from '../errors.js';
import { shellWord } from '../shell.js';

/** A private key, or the public one that belongs to it. */
type Half = 'private' | 'public';

/**
 * Makes a key pair: the private key in `file` (PKCS #8, mode 0600), the public one in `file`.pub (SPKI).
 * @throws CloudCliError `invalid_request` where there is one already, or it cannot be written
 */
export function makeCheckpointKey(file: string): void {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  for (const path of [file, `${file}.pub`]) {
    if (!existsSync(path)) continue;
    throw refused(
      'key',
      path,
      'exists already',
      'Sign with it as it is, or name another file for a new key.',
    );
  }
  try {
    writeKey(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
    writeKey(`${file}.pub`, publicKey.export({ type: 'spki', format: 'pem' }), 0o644);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw refused('key', file, `cannot be written (${code})`, 'Name a file in a directory that is there.');
  }
}

/** The private key in `file`, as PKCS #8 or JWK. @throws CloudCliError `invalid_request`, also for a file open to others */
export function readPrivateKey(file: string): KeyObject {
  const text = readKeyFile('key', file, 'Make one: cloud-cli audit checkpoint --new-key --key FILE');
  const { mode, uid } = statSync(file);
  // Root can read it anyhow, and is who mounts a secret into a container.
  if (![0, process.geteuid?.()].includes(uid))
    throw refused('key', file, 'belongs to another user', `Run as its owner, or make a key of your own.`);
  if ((mode & 0o077) !== 0)
    throw refused('key', file, 'can be opened by other users', `Run: chmod 600 ${shellWord(file)}`);
  return keyIn(text, 'private', 'key', file);
}

/** The public key in `file`, as SPKI or JWK. @throws CloudCliError `invalid_request` */
export function readPublicKey(file: string): KeyObject {
  const hint = 'Name the FILE.pub that was made with the key, as it was carried off the host.';
  return keyIn(readKeyFile('public_key', file, hint), 'public', 'public_key', file);
}

/** Refuses a key that signs or verifies no checkpoint. @throws CloudCliError `invalid_request` */
export function refuseOtherKey(key: KeyObject, half: Half): void {
  if (key.type === half && key.asymmetricKeyType === 'ed25519') return;
  throw refused(fieldOf(half), '', `must be an Ed25519 ${half} key`, hintOf(half));
}

function writeKey(file: string, text: string | Buffer, mode: number): void {
  writeFileSync(file, text, { mode, flag: 'wx' });
  // A umask can take from the mode, or leave it unreadable to its own user.
  chmodSync(file, mode);
}

function readKeyFile(field: string, file: string, hint: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw refused(field, file, `cannot be read (${(error as NodeJS.ErrnoException).code})`, hint);
  }
}

/** The parser's own message is dropped: it may quote the key. */
function keyIn(text: string, half: Half, field: string, file: string): KeyObject {
  const create = half === 'private' ? createPrivateKey : createPublicKey;
  let key: KeyObject | undefined;
  try {
    key = text.trimStart().startsWith('{')
      ? create({ key: JSON.parse(text), format: 'jwk' })
      : create({ key: text, format: 'pem' });
  } catch {
    key = undefined;
  }
  if (key?.asymmetricKeyType === 'ed25519') return key;
  throw refused(field, file, `holds no Ed25519 ${half} key`, hintOf(half));
}

const fieldOf = (half: Half) => (half === 'private' ? 'key' : 'public_key');
const hintOf = (half: Half) =>
  half === 'private'
    ? 'Give it as PKCS #8 without a passphrase or as JWK, such as cloud-cli audit checkpoint --new-key makes.'
    : 'Give it as SPKI or JWK, such as cloud-cli audit checkpoint --new-key makes.';

function refused(field: string, file: string, why: string, hint: string): CloudCliError {
  return invalidRequest([{ field, message: `${file} ${why}`.trim() }], hint);
}
