/** The file of a ledger on SQLite: made for its owner alone, and the words for what SQLite or the file system refuses. */
import { chmodSync, closeSync, constants, fsyncSync, lstatSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectories, syncDirectory } from '../directories.js';
import { CloudCliError } from '../errors.js';

/** SQLite gives -wal and -shm the mode of the database, so that it must be right before the first open. */
export function makeFile(path: string): void {
  makeDirectories(dirname(path));
  try {
    const file = openSync(
      path,
      constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_NOFOLLOW,
      0o600,
    );
    fsyncSync(file);
    closeSync(file);
    syncDirectory(dirname(path));
    // A umask can take from the mode, and 0600 is promised.
    chmodSync(path, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    refuseUnsafe(path);
  }
}

function refuseUnsafe(path: string): void {
  const found = lstatSync(path);
  const unsafe = (why: string, hint: string) =>
    new CloudCliError('audit_unavailable', `the ledger ${path} ${why}`, { hint });
  if (!found.isFile())
    throw unsafe('is not a regular file', 'Name the ledger file itself in CLOUD_CLI_AUDIT_URL.');
  if (found.uid !== process.geteuid?.())
    throw unsafe('belongs to another user', `Run as its owner, or: chown ${process.geteuid?.()} ${path}`);
  if ((found.mode & 0o077) !== 0) throw unsafe('can be opened by other users', `Run: chmod 600 ${path}`);
}

/** Runs `work`; what SQLite or the file system refuses becomes `audit_unavailable`. */
export function guard<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw told(path, error);
  }
}

/** As a CloudCliError, which ours are already. */
export function told(path: string, error: unknown): unknown {
  if (error instanceof CloudCliError) return error;
  const code = codeOf(error);
  // The last is how the bundled command finds out.
  if (code === 'ERR_DLOPEN_FAILED' || /bindings file|\.node'/.test((error as Error).message)) {
    return new CloudCliError('audit_unavailable', 'better-sqlite3 has no native build for this Node.js', {
      hint: 'Run: npm rebuild better-sqlite3 --ignore-scripts=false',
    });
  }
  return new CloudCliError(
    'audit_unavailable',
    `the ledger ${path} ${refusals[code.split('_').slice(0, 2).join('_')] ?? 'failed'} (${code})`,
    {
      hint: `Nothing is minted without a ledger. Check ${path}: its file system, owner, mode and free space.`,
    },
  );
}

/** Such as SQLITE_FULL or ENOSPC. */
export function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code ?? 'unknown');
}

const refusals: Record<string, string> = {
  SQLITE_BUSY: 'is locked by another process',
  SQLITE_FULL: 'cannot grow: the disk is full',
  SQLITE_READONLY: 'cannot be written',
  SQLITE_CANTOPEN: 'cannot be opened',
  SQLITE_CORRUPT: 'is damaged',
  SQLITE_NOTADB: 'is not a SQLite database',
  EACCES: 'may not be opened by this user',
  ENOSPC: 'cannot be made: the disk is full',
  EROFS: 'is on a read-only file system',
  ENOTDIR: 'lies below something that is not a directory',
};
