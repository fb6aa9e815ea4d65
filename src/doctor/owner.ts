/** Who else can read or change a file or directory. */
import { type Stats, statSync } from 'node:fs';
import { shellWord } from '../shell.js';

/** What is at a path, links followed; undefined where there is nothing, or nothing that may be looked at. */
export function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

export function ownerOf({ uid }: Stats): string {
  if (uid === 0) return 'root';
  return uid === process.geteuid?.() ? 'this user' : `user ${uid}`;
}

/** Octal, as chmod takes it. */
export function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

/** What lets others change it, and how to end that; undefined where only this user and root can. */
export function changeableBy(path: string, found: Stats): { how: string; hint: string } | undefined {
  if (found.uid !== 0 && found.uid !== process.geteuid?.()) {
    return {
      how: `belongs to ${ownerOf(found)}, who can change it`,
      hint: `Run: chown ${process.geteuid?.()} ${shellWord(path)}`,
    };
  }
  // In a sticky directory, such as /tmp, others can add but not replace.
  if ((found.mode & 0o022) === 0 || (found.mode & 0o1000) !== 0) return undefined;
  return {
    how: `can be changed by other users (mode ${modeOf(found)})`,
    hint: `Run: chmod go-w ${shellWord(path)}`,
  };
}
