/** Finds a vendor CLI on PATH, skipping the places where somebody else could have put another. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** The absolute path of `binary`, or undefined where PATH holds no executable file of that name. */
export function locate(binary: string, path = ''): string | undefined {
  // The file comes first: of most directories there is then no need to ask anything else.
  const found = path
    .split(delimiter)
    .find(
      (directory) =>
        isAbsolute(directory) && isExecutableFile(join(directory, binary)) && isTrusted(directory),
    );
  return found === undefined ? undefined : join(found, binary);
}

/** PATH without empty, relative, missing and world-writable entries: an empty one means the working directory. */
export function safePath(path = ''): string {
  return path
    .split(delimiter)
    .filter((directory) => isAbsolute(directory) && isTrusted(directory))
    .join(delimiter);
}

function isTrusted(directory: string): boolean {
  try {
    const found = statSync(directory);
    return found.isDirectory() && (found.mode & 0o002) === 0;
  } catch {
    return false;
  }
}

function isExecutableFile(file: string): boolean {
  try {
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return false;
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
