/** The file credential store: one age file per key, in a directory that is its user's alone. */
import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Credential, CredentialMetadata, CredentialStore, PersistHook } from '../credential.js';
import { makeDirectories } from '../directories.js';
import { CloudCliError, invalidRequest, isCloudCliError } from '../errors.js';
import {
  access,
  close,
  fchmod,
  fstat,
  fsync,
  link,
  lstat,
  open,
  read,
  readdir,
  rename,
  rm,
  unlink,
  writeFile,
} from '../files.js';
import { CredentialKey, isCredentialKey } from '../key.js';
import { shellWord } from '../shell.js';
import {
  AgeFileError,
  areX25519Identities,
  decryptCredential,
  encryptCredential,
  headBytes,
  identitiesIn,
  newIdentityFile,
  prepareAge,
  readMetadata,
  recipientsOf,
  unusableRecipients,
} from './age-file.js';

/** Bytes of the largest file that is read or written. */
const mostBytes = 1024 * 1024;
/** A temp file of this age belongs to a process that is gone: a persist takes 30 seconds at most. */
const staleMs = 10 * 60 * 1000;
const tempName = /^\.[0-9a-f-]{36}\.tmp$/;

/**
 * Opens the store in `directory`, which the first mint makes, with its parents, for this user alone.
 *
 * Each key is the file `KEY.age`; `age -d -i identity.txt KEY.age` prints the credential's JSON. Without
 * `recipients` the first mint also makes `identity.txt`; with them nothing else is encrypted to, and reading
 * needs an `identity.txt` that somebody put there.
 *
 * `persist` fails as `persist_failed` and leaves what the key held. The others fail as `invalid_request` on
 * `store_url`, where the directory or a file is a link, foreign, open to others, oversized or damaged; but `list`
 * leaves such a file out with a process warning (`CLOUD_CLI_UNREADABLE`), so that it does not hide the rest.
 * `describe` and `list` believe the files' headers, which only `read` can verify. The directories above are trusted.
 * @throws CloudCliError `invalid_request`: recipients that are none, found before anything is minted for them, or a
 * directory that is refused
 */
export async function openFileStore(
  directory: string,
  options: { recipients?: readonly string[] } = {},
): Promise<Required<CredentialStore>> {
  if (process.geteuid === undefined) {
    throw refused(
      'file: needs owners and permission bits, which Windows lacks',
      'Use a store of another kind.',
    );
  }
  if (directory === '' || directory.includes('\0')) {
    throw refused('must name a directory', 'Name the store as file:/path/to/credentials.');
  }
  const recipients = [...(options.recipients ?? [])];
  await refuseRecipients(recipients);
  const path = resolve(directory);
  await told(refused, path, () => isOwnDirectory(path));
  return new FileStore(path, recipients);
}

class FileStore implements Required<CredentialStore> {
  readonly #directory: string;
  readonly #identityFile: string;
  readonly #recipients: readonly string[];
  /** The recipients of identity.txt, and the state of the file that they were read from. */
  #own: { state: string; recipients: readonly string[] } | undefined;

  constructor(directory: string, recipients: readonly string[]) {
    this.#directory = directory;
    this.#identityFile = join(directory, 'identity.txt');
    this.#recipients = recipients;
  }

  readonly persist: PersistHook = (key, credential, { signal }) =>
    told(notPersisted, this.#directory, () => this.#persist(key, credential, signal));

  readonly ready = () =>
    told(notPersisted, this.#directory, async () => {
      await makeOwnDirectory(this.#directory);
      await access(this.#directory, constants.W_OK | constants.X_OK);
      // An identity that is damaged, or cannot be made, is found before a credential is minted in vain.
      if (this.#recipients.length === 0) await this.#requireIdentity();
      prepareAge();
    });

  readonly read: CredentialStore['read'] = (key) => told(refused, this.#directory, () => this.#read(key));

  readonly describe: CredentialStore['describe'] = (key) =>
    told(refused, this.#directory, () => this.#describe(key));

  readonly list: CredentialStore['list'] = () => told(refused, this.#directory, () => this.#list());

  readonly remove: CredentialStore['remove'] = (key) =>
    told(refused, this.#directory, () => this.#remove(key));

  readonly close: CredentialStore['close'] = async () => {};

  async #persist(key: CredentialKey, credential: Credential, signal: AbortSignal): Promise<void> {
    stopIfAborted(signal);
    const path = this.#path(key);
    refuseOther(path, key, credential, 'Pass the key that the credential names.');
    await makeOwnDirectory(this.#directory);
    const recipients = this.#recipients.length > 0 ? this.#recipients : await this.#ownRecipients();
    const file = await about(path, reportIt, () => encryptCredential(credential, recipients));
    if (file.length > mostBytes) throw new Refusal(`${path} would be larger than 1 MiB`, reportIt);
    await removeTemps(this.#directory, (stat) => Date.now() - stat.mtimeMs > staleMs);
    const temp = await writeTemp(this.#directory, file);
    try {
      stopIfAborted(signal);
      await rename(temp, path);
    } catch (error) {
      await removeQuietly(temp);
      throw error;
    }
    // Where this fails the new credential is in place, but may not outlive a crash: too little to call it kept.
    await syncDirectory(this.#directory);
  }

  async #read(key: CredentialKey): Promise<Credential | undefined> {
    const path = this.#path(key);
    const file = (await isOwnDirectory(this.#directory)) && (await readOwnFile(path, mostBytes));
    if (!file) return undefined;
    const identities = await this.#identities();
    if (!identities) {
      throw new Refusal(
        `${this.#identityFile} is missing, so that this host can write credentials but not read them`,
        `Read on the host that has the identity, or put it there and run: chmod 600 ${shellWord(this.#identityFile)}`,
      );
    }
    const credential = await about(path, mintAgain(key), () => decryptCredential(file, identities));
    refuseOther(path, key, credential, mintAgain(key));
    return credential;
  }

  async #describe(key: CredentialKey): Promise<CredentialMetadata | undefined> {
    const path = this.#path(key);
    const file = (await isOwnDirectory(this.#directory)) && (await readOwnFile(path, headBytes));
    if (!file) return undefined;
    const metadata = await about(path, mintAgain(key), () => readMetadata(file));
    refuseOther(path, key, metadata, mintAgain(key));
    return metadata;
  }

  async #list(): Promise<CredentialMetadata[]> {
    if (!(await isOwnDirectory(this.#directory))) return [];
    const names = (await readdir(this.#directory)).filter((name) => name.endsWith('.age'));
    const keys = names.map((name) => name.slice(0, -'.age'.length)).filter(isCredentialKey);
    const found: CredentialMetadata[] = [];
    for (const key of keys.sort()) {
      const metadata = await this.describe(CredentialKey.parse(key)).catch(warn);
      if (metadata) found.push(metadata);
    }
    return found;
  }

  async #remove(key: CredentialKey): Promise<boolean> {
    if (!(await isOwnDirectory(this.#directory))) return false;
    const removed = await unlink(this.#path(key)).then(() => true, absent);
    if (!removed) return false;
    await syncDirectory(this.#directory);
    return true;
  }

  #path(key: CredentialKey): string {
    // Parsed again: a caller without types may pass anything, and this becomes a path.
    return join(this.#directory, `${CredentialKey.parse(`${key}`)}.age`);
  }

  async #requireIdentity(): Promise<void> {
    const identities = await this.#identities();
    if (!identities || !(await areX25519Identities(identities))) await this.#ownRecipients();
  }

  async #ownRecipients(): Promise<readonly string[]> {
    const state = await this.#identityState();
    if (state !== undefined && state === this.#own?.state) return this.#own.recipients;
    if (state === undefined) await makeIdentity(this.#directory, this.#identityFile);
    const identities = (await this.#identities()) ?? [];
    const recipients = await about(this.#identityFile, mendIdentity, () => recipientsOf(identities));
    this.#own = state === undefined ? undefined : { state, recipients };
    return recipients;
  }

  /** Changes with whatever replaces, edits or opens up identity.txt. */
  async #identityState(): Promise<string | undefined> {
    const stat = await lstat(this.#identityFile, { bigint: true }).catch(absent);
    return stat && [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ');
  }

  async #identities(): Promise<string[] | undefined> {
    const stat = await lstat(this.#identityFile).catch(absent);
    // Whoever made it may not have come to remove its other link yet, or have died before.
    if (stat && stat.nlink > 1) {
      await removeTemps(this.#directory, ({ dev, ino }) => dev === stat.dev && ino === stat.ino);
    }
    const file = await readOwnFile(this.#identityFile, mostBytes);
    return file && identitiesIn(file.toString('utf8'));
  }
}

/** Something that the operator can mend: what is wrong, with its path, and what to do. */
class Refusal extends Error {
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/** What an errno means, as words that follow a path, and what to do. */
const errnos: Readonly<Record<string, readonly [string, string]>> = {
  ENOSPC: ['has no space left', 'Free some space on its file system.'],
  EDQUOT: ['is over the disk quota', 'Free some space, or have the quota raised.'],
  EROFS: ['is on a read-only file system', 'Mount it writable, or name another directory as the store.'],
  EACCES: ['is not accessible', 'Give the user that runs cloud-cli access, or name another directory.'],
  EPERM: ['may not be changed', 'Give the user that runs cloud-cli access, or name another directory.'],
  ELOOP: ['is a symbolic link', 'Remove the link, and put the file itself there or mint again.'],
  ENOENT: ['cannot be made', 'Name another directory as the store.'],
  ENOTDIR: ['has a file where a directory must be', 'Name another directory as the store.'],
};

type Fail = (message: string, hint: string) => CloudCliError;

const notPersisted: Fail = (message, hint) => new CloudCliError('persist_failed', message, { hint });
const refused: Fail = (message, hint) => invalidRequest([{ field: 'store_url', message }], hint);

/** Runs `work` and tells its failure by `fail`: a new error, which keeps nothing of the one that was caught. */
async function told<T>(fail: Fail, directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) throw fail(error.message, error.hint);
    const { code = '', path } = error as NodeJS.ErrnoException;
    if (!/^E[A-Z0-9]+$/.test(code)) throw error;
    const [words, hint] = errnos[code] ?? ['cannot be used', `Check the file system of ${directory}.`];
    const named = path === undefined || tempName.test(basename(path)) ? directory : path;
    throw fail(`${named} ${words} (${code})`, hint);
  }
}

/** Names the file that an AgeFileError is about. */
async function about<T>(path: string, hint: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof AgeFileError ? new Refusal(`${path} ${error.message}`, hint) : error;
  }
}

const reportIt = 'Run it again, and report it if it persists.';
const mendIdentity =
  'Put an identity file of age-keygen there, or remove it and have the next mint make one.';

function mintAgain(key: CredentialKey): string {
  return `Mint it again: cloud-cli mint ... --target-credential-key ${key}, or: cloud-cli credentials remove ${key}`;
}

async function refuseRecipients(recipients: readonly string[]): Promise<void> {
  if (recipients.length === 0) return;
  const unusable = await unusableRecipients(recipients);
  if (unusable.length === 0) return;
  const message = `must be age recipients (age1...), and number ${unusable.join(', ')} is not`;
  const hint = 'Take the public key that `age-keygen -y identity.txt` prints.';
  throw invalidRequest([{ field: 'CLOUD_CLI_AGE_RECIPIENTS', message }], hint);
}

function refuseOther(path: string, key: CredentialKey, credential: CredentialMetadata, hint: string): void {
  if (credential.credential_key === key.toString()) return;
  throw new Refusal(`${path} is for ${key}, but the credential is for another key`, hint);
}

function stopIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new Refusal('the persist was cancelled, and what the store held is unchanged', 'Run it again.');
}

function warn(error: unknown): undefined {
  if (!isCloudCliError(error)) throw error;
  const options = { type: 'CloudCliWarning', code: 'CLOUD_CLI_UNREADABLE', detail: error.hint };
  process.emitWarning(error.message, options);
}

/** Whether the directory is there. @throws Refusal unless it is a directory of this user alone */
async function isOwnDirectory(path: string): Promise<boolean> {
  const stat = await lstat(path).catch(absent);
  if (!stat) return false;
  if (stat.isSymbolicLink()) {
    throw new Refusal(`${path} is a symbolic link`, 'Name the directory that it points to as the store.');
  }
  if (!stat.isDirectory()) throw new Refusal(`${path} is not a directory`, 'Name a directory as the store.');
  refuseShared(path, stat, '700');
  return true;
}

async function makeOwnDirectory(path: string): Promise<void> {
  if (await isOwnDirectory(path)) return;
  makeDirectories(path);
  // Somebody else may have been faster, with something else.
  await isOwnDirectory(path);
}

function refuseShared(path: string, stat: Stats, mode: string): void {
  const uid = process.geteuid!();
  if (stat.uid !== uid) {
    const hint = `Run cloud-cli as its owner, or: chown ${uid} ${shellWord(path)}`;
    throw new Refusal(`${path} belongs to user ${stat.uid}, and cloud-cli runs as user ${uid}`, hint);
  }
  if ((stat.mode & 0o077) !== 0) {
    const is = (stat.mode & 0o777).toString(8).padStart(3, '0');
    throw new Refusal(`${path} is open to other users (mode ${is})`, `Run: chmod ${mode} ${shellWord(path)}`);
  }
}

/** At most `most` bytes of a file; undefined where there is none. @throws Refusal unless it is this user's alone */
async function readOwnFile(path: string, most: number): Promise<Buffer | undefined> {
  // A FIFO would block without O_NONBLOCK; what is opened is what is checked, so that nobody can swap it between.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch(absent);
  if (file === undefined) return undefined;
  return closing(file, async () => {
    const stat = await fstat(file);
    refuseFile(path, stat);
    const length = Math.min(stat.size, most);
    const { buffer, bytesRead } = await read(file, Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  });
}

function refuseFile(path: string, stat: Stats): void {
  const away = `Move it away: mv ${shellWord(path)} ${shellWord(`${path}.refused`)}`;
  if (!stat.isFile()) throw new Refusal(`${path} is not a regular file`, away);
  refuseShared(path, stat, '600');
  if (stat.nlink > 1)
    throw new Refusal(`${path} has ${stat.nlink} hard links`, `Remove the others, or: ${away}`);
  if (stat.size > mostBytes) throw new Refusal(`${path} is larger than 1 MiB`, away);
}

/** Makes identity.txt unless there is one: link(2) never replaces, so that all who race for it use the first. */
async function makeIdentity(directory: string, path: string): Promise<void> {
  const temp = await writeTemp(directory, await newIdentityFile());
  try {
    await link(temp, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await removeQuietly(temp);
  }
  await syncDirectory(directory);
}

/** Writes `content` to disk under a new name in `directory`. */
async function writeTemp(directory: string, content: string | Uint8Array): Promise<string> {
  const temp = join(directory, `.${randomUUID()}.tmp`);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = await open(temp, flags, 0o600);
  try {
    await closing(file, async () => {
      // A umask may have taken the owner's bits.
      await fchmod(file, 0o600);
      await writeFile(file, content);
      await fsync(file);
    });
  } catch (error) {
    await removeQuietly(temp);
    throw error;
  }
  return temp;
}

async function closing<T>(file: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await close(file);
  }
}

async function removeTemps(directory: string, which: (stat: Stats) => boolean): Promise<void> {
  for (const name of (await readdir(directory)).filter((name) => tempName.test(name))) {
    const path = join(directory, name);
    const stat = await lstat(path).catch(absent);
    if (stat && which(stat)) await removeQuietly(path);
  }
}

/** A temp file that stays behind is no reason to fail: it is as closed as the rest, and a later persist removes it. */
async function removeQuietly(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => {});
}

/** Makes renames, links and removals in the directory survive a crash of the host. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    await closing(directory, () => fsync(directory));
  } catch (error) {
    // Some network file systems cannot sync a directory, and say so this way.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
