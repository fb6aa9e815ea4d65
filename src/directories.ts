/** Makes a directory with its parents, for this user alone, so that it is still there after a power cut. */
import { closeSync, constants, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/** Each missing one with mode 0700. Not `recursive`, which in Node 20 never returns for a path below /proc. */
export function makeDirectories(path: string): void {
  if (existsSync(path)) return;
  makeDirectories(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  syncDirectory(dirname(path));
}

/** Makes the names in a directory survive a power cut. */
export function syncDirectory(path: string): void {
  try {
    const directory = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  } catch (error) {
    // Some network file systems cannot sync a directory, and one that may not be read cannot be opened for it.
    if (!['EINVAL', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
