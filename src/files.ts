/** Node's calls on files, as promises: node:fs/promises would load a terminal's line editor, and a command waits for it. */
import * as fs from 'node:fs';
import { promisify } from 'node:util';

export const access = promisify(fs.access);
export const close = promisify(fs.close);
export const fchmod = promisify(fs.fchmod);
export const fstat = promisify(fs.fstat);
export const fsync = promisify(fs.fsync);
export const link = promisify(fs.link);
export const lstat = promisify(fs.lstat);
export const open = promisify(fs.open);
/** Gives `{ bytesRead, buffer }`. */
export const read = promisify(fs.read);
export const readdir = promisify(fs.readdir);
export const rename = promisify(fs.rename);
export const rm = promisify(fs.rm);
export const unlink = promisify(fs.unlink);
export const writeFile = promisify(fs.writeFile);
