/** A throwaway directory on the file system of something that is not there yet, so that trying it leaves nothing. */
import { lstatSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The path itself, or what is nearest above it, that exists. */
export function nearest(path: string): string {
  return isThere(path) || dirname(path) === path ? path : nearest(dirname(path));
}

/** A link that leads nowhere is there. */
export function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // It may not be looked at, which is for whoever opens it to say.
    return true;
  }
}

/** Runs `work` with a directory, for this user alone, near where `path` would be. */
export async function beside<T>(path: string, work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(nearest(path), '.cloud-cli-doctor-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
