/** Finds a vendor CLI on PATH, skipping the places where somebody else could have put another. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** The absolute path of `binary`, or undefined where PATH holds no executable file of that name. */
export function locate(binary: string, path: string | undefined): string | undefined {
  return safeDirectories(path)
    .map((directory) => join(directory, binary))
    .find(isExecutableFile);
}

/** PATH without empty, relative, missing and world-writable entries: an empty one means the working directory. */
export function safePath(path: string | undefined): string {
  return safeDirectories(path).join(delimiter);
}

function safeDirectories(path = ''): string[] {
  return path.split(delimiter).filter((directory) => isAbsolute(directory) && isTrusted(directory));
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
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
