/**
 * A credential as an age file (https://age-encryption.org/v1): its JSON encrypted, and its metadata in a stanza
 * of the header, where it can be read without an identity. age skips stanzas that it does not know, so that any
 * `age -d -i identity.txt` opens the file, and its MAC covers the header for whoever decrypts it.
 */
import {
  type Credential,
  type CredentialMetadata,
  metadataOf,
  parseCredential,
  serializeCredential,
} from '../credential.js';
import { silenceAlgorithm } from '../experimental.js';

const stanzaType = 'cloud-cli.alphaswarm.dev/metadata';
const metadataBytes = 4096;

/** Bytes from a file's beginning that {@link readMetadata} needs at most: base64 adds a third, and line breaks. */
export const headBytes = 8192;

// The body's lines are full (64 characters) but for the last, which is shorter and may be empty.
const head = new RegExp(
  `^age-encryption\\.org/v1\\n-> ${stanzaType}\\n((?:[A-Za-z0-9+/]{64}\\n)*[A-Za-z0-9+/]{0,63})\\n(?:-> |--- )`,
);

/** Why a file is of no use, as words that follow its path: `is damaged`. They quote nothing of the file. */
export class AgeFileError extends Error {}

/**
 * Encrypts `credential` to `recipients`.
 * @throws AgeFileError
 */
export async function encryptCredential(
  credential: Credential,
  recipients: readonly string[],
): Promise<Uint8Array> {
  const metadata = Buffer.from(JSON.stringify(metadataOf(credential)));
  if (metadata.length > metadataBytes) throw new AgeFileError('cannot hold metadata of this size');
  const { Encrypter, Stanza } = await loadAge();
  try {
    const encrypter = new Encrypter();
    // It comes first, so that its place does not depend on how many recipients there are.
    encrypter.addRecipient({ wrapFileKey: () => [new Stanza([stanzaType], metadata)] });
    for (const recipient of recipients) encrypter.addRecipient(recipient);
    return await bytesOf(await encrypter.encrypt(streamOf(Buffer.from(serializeCredential(credential)))));
  } catch {
    throw new AgeFileError('could not be encrypted');
  }
}

/**
 * Decrypts a file with whichever of `identities` fits.
 * @throws AgeFileError also where the header tells other metadata than what is encrypted
 */
export async function decryptCredential(
  file: Uint8Array,
  identities: readonly string[],
): Promise<Credential> {
  const metadata = readMetadata(file);
  const credential = parsed(await decrypt(file, identities));
  if (JSON.stringify(metadataOf(credential)) !== JSON.stringify(metadata)) {
    throw new AgeFileError('has a header that does not belong to its content');
  }
  return credential;
}

/**
 * The metadata in a file's header, from at least its first {@link headBytes}. Nothing vouches for it until the
 * file is decrypted.
 * @throws AgeFileError
 */
export function readMetadata(file: Uint8Array): CredentialMetadata {
  const start = Buffer.from(file.subarray(0, headBytes)).toString('latin1');
  const body = head.exec(start)?.[1];
  if (body === undefined) throw new AgeFileError('is damaged, or was not written by cloud-cli');
  const metadata = metadataIn(Buffer.from(body, 'base64').toString('utf8'));
  if (!metadata) throw new AgeFileError('has a damaged header');
  return metadata;
}

/** A new identity, in the format of age-keygen. */
export async function newIdentityFile(): Promise<string> {
  // By name, not generateIdentity: what that makes may become post-quantum, which older versions of age cannot read.
  const { generateX25519Identity, identityToRecipient } = await loadAge();
  const identity = await generateX25519Identity();
  const created = new Date().toISOString().replace(/\.\d+/, '');
  return `# created: ${created}\n# public key: ${await identityToRecipient(identity)}\n${identity}\n`;
}

/** The identities in the text of an identity file. */
export function identitiesIn(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

/**
 * Whether they are X25519 identities, which their form and checksum tell: any 32 bytes are a key. What is none by this
 * may still be an identity of another kind.
 */
export async function areX25519Identities(identities: readonly string[]): Promise<boolean> {
  const { bech32 } = await import('@scure/base');
  const isOne = (text: string) => {
    const { prefix, words } = bech32.decodeUnsafe(text) ?? {};
    return (
      text.startsWith('AGE-SECRET-KEY-1') &&
      prefix === 'age-secret-key-' &&
      bech32.fromWordsUnsafe(words!)?.length === 32
    );
  };
  return identities.length > 0 && identities.every(isOne);
}

/** Loads age in the next turn: it takes as long as a fast vendor CLI, and can be done while that works. */
export function prepareAge(): void {
  setImmediate(() => loadAge().catch(() => {}));
}

/**
 * The recipients that `identities` stand for.
 * @throws AgeFileError when one of them is not an identity, or there is none
 */
export async function recipientsOf(identities: readonly string[]): Promise<string[]> {
  const { identityToRecipient } = await loadAge();
  if (identities.length === 0) throw new AgeFileError('holds no age identity');
  try {
    return await Promise.all(identities.map((identity) => identityToRecipient(identity)));
  } catch {
    throw new AgeFileError('holds a line that is not an age identity');
  }
}

/** The positions, from 1, of those `recipients` that nothing can be encrypted to. */
export async function unusableRecipients(recipients: readonly string[]): Promise<number[]> {
  const { Encrypter } = await loadAge();
  const tried = recipients.map(async (recipient, index) => {
    try {
      const encrypter = new Encrypter();
      encrypter.addRecipient(recipient);
      // Some keys are found out only in use, such as a point of low order.
      await encrypter.encrypt(streamOf(Buffer.of()));
      return [];
    } catch {
      return [index + 1];
    }
  });
  return (await Promise.all(tried)).flat();
}

async function decrypt(file: Uint8Array, identities: readonly string[]): Promise<string> {
  const { Decrypter } = await loadAge();
  const decrypter = new Decrypter();
  try {
    for (const identity of identities) decrypter.addIdentity(identity);
  } catch {
    throw new AgeFileError('cannot be opened: a line of identity.txt is not an age identity');
  }
  try {
    return (await bytesOf(await decrypter.decrypt(streamOf(file)))).toString('utf8');
  } catch (error) {
    const locked = (error as Error).message.startsWith('no identity matched');
    throw new AgeFileError(locked ? 'is encrypted to none of the identities in identity.txt' : 'is damaged');
  }
}

/** Streams in and out: for bytes, age-encryption goes through Response, and so loads an HTTP client. */
function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
  return Buffer.concat(chunks);
}

function parsed(text: string): Credential {
  try {
    return parseCredential(text);
  } catch {
    throw new AgeFileError('holds no credential of cloud-cli');
  }
}

/** Only what `JSON.stringify(metadataOf(...))` writes: these members, in this order, and all of them text. */
function metadataIn(text: string): CredentialMetadata | undefined {
  try {
    const metadata = metadataOf(JSON.parse(text));
    const plain = Object.values(metadata).every((value) => typeof value === 'string');
    return plain && JSON.stringify(metadata) === text ? metadata : undefined;
  } catch {
    return undefined;
  }
}

function loadAge() {
  silenceAlgorithm('X25519');
  return import('age-encryption');
}
