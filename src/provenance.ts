/** What exactly is run: a binary's real file, whose it is, and its content as a hash. */
import { createHash } from 'node:crypto';
import { type BigIntStats, constants, fstatSync, realpathSync, statSync } from 'node:fs';
import { close, open, read } from './files.js';

/** A script, such as a shim of pyenv or az's own, is hashed as the file that is executed, not what it starts. */
export interface Provenance {
  /** With every link followed. */
  real_path: string;
  /** User id. */
  owner: number;
  /** Permission bits in octal, as chmod takes them. */
  mode: string;
  /** 64 hex digits; null for a file that this user may execute and not read. */
  sha256: string | null;
}

/** A file may be changed twice within one tick of its file system's clock; what is that fresh is hashed again. */
const settledMs = 2000;

/** The last hash of each file, and the state of the file that it is of. */
const hashes = new Map<string, { state: string; sha256: Promise<string | null> }>();

const pieceBytes = 256 * 1024;

/**
 * @param hashed false leaves out the hash: a large file takes long to read
 * @throws the file system's own error, or an Error for a file that changes meanwhile
 */
export async function provenanceOf(path: string, hashed = true): Promise<Provenance> {
  const real_path = realpathSync.native(path);
  const found = statSync(real_path, { bigint: true });
  return {
    real_path,
    owner: Number(found.uid),
    mode: (Number(found.mode) & 0o7777).toString(8).padStart(4, '0'),
    sha256: hashed ? await hashOf(real_path, found) : null,
  };
}

function hashOf(path: string, found: BigIntStats): Promise<string | null> {
  const state = stateOf(found);
  const known = hashes.get(path);
  if (known?.state === state) return known.sha256;
  const sha256 = digest(path, state);
  const entry = { state, sha256 };
  hashes.set(path, entry);
  const forget = () => hashes.get(path) === entry && hashes.delete(path);
  sha256.then(() => Date.now() - Number(found.ctimeMs) > settledMs || forget(), forget);
  return sha256;
}

async function digest(path: string, state: string): Promise<string | null> {
  const file = await open(path, constants.O_RDONLY).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EACCES') return undefined;
    throw error;
  });
  if (file === undefined) return null;
  try {
    const hash = createHash('sha256');
    const piece = Buffer.allocUnsafe(pieceBytes);
    for (let length = -1; length !== 0; ) {
      length = (await read(file, piece, 0, pieceBytes, null)).bytesRead;
      hash.update(piece.subarray(0, length));
    }
    if (stateOf(fstatSync(file, { bigint: true })) === state) return hash.digest('hex');
  } finally {
    await close(file);
  }
  throw Object.assign(new Error('the file changes'), { code: 'EBUSY' });
}

/** Content cannot change without the ctime, which nobody can set. */
function stateOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
