/** Whether others could put something else in a binary's place: what decides that it is not run. */
import { lstatSync, readFileSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { shellWord } from './shell.js';

/** As many as Linux follows. */
const mostLinks = 40;

/** The file or directory that lets them. */
export interface Replaceable {
  place: string;
  how: string;
  hint: string;
}

/**
 * Looks at the file, and at each directory that holds it or a link to it. A directory that a group can write is let
 * pass: /usr/local is staff's on Debian and Homebrew's is admin's, groups that are made to install programs.
 * @throws the file system's own error
 */
export function replaceable(path: string): Replaceable | undefined {
  const steps = stepsOf(path);
  for (const step of steps) {
    const directory = dirname(step);
    const { mode } = statSync(directory);
    // In a sticky directory, such as /tmp, others can add and not replace.
    if ((mode & 0o002) !== 0 && (mode & 0o1000) === 0)
      return {
        place: directory,
        how: 'lets anybody put another file there',
        hint: `Run: chmod o-w ${shellWord(directory)}`,
      };
  }
  const file = steps.at(-1)!;
  const found = statSync(file);
  const hint = `Run: chmod go-w ${shellWord(file)}`;
  if ((found.mode & 0o002) !== 0) return { place: file, how: 'can be changed by anybody', hint };
  if ((found.mode & 0o020) !== 0 && !isPrivate(found, groupsOfHost()))
    return { place: file, how: `can be changed by the group ${found.gid}`, hint };
  return undefined;
}

/** The path, and what each link on the way leads to; the file itself last. */
function stepsOf(path: string): string[] {
  const steps: string[] = [];
  for (let at = path; steps.length < mostLinks; ) {
    const step = join(realpathSync.native(dirname(at)), basename(at));
    steps.push(step);
    if (!lstatSync(step).isSymbolicLink()) break;
    at = resolve(dirname(step), readlinkSync(step));
  }
  return steps;
}

/**
 * Whether the file's group gives nobody more than the file's owner has: root's group, or a user's own, which has the
 * user's number and no other member. A clone under umask 002 is written by such a group.
 */
export function isPrivate({ uid, gid }: Pick<Stats, 'uid' | 'gid'>, groups: string): boolean {
  if (gid === 0) return true;
  if (gid !== uid) return false;
  const [name, , , members = ''] = groups
    .split('\n')
    .map((line) => line.split(':'))
    .find(([, , number]) => number === String(gid)) ?? [''];
  return members.split(',').every((member) => member === '' || member === name);
}

function groupsOfHost(): string {
  try {
    return readFileSync('/etc/group', 'utf8');
  } catch {
    return '';
  }
}
