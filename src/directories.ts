/** Makes a directory with its parents, for this user alone. */
import { existsSync, mkdirSync } from 'node:fs';
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
}
