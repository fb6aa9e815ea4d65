/** Reads the processes of this host from /proc (proc(5)); where there is none, everything here is empty. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

export interface ProcessFacts {
  /** Exited, and only waiting to be reaped. */
  dead: boolean;
  group: number;
  /** When it started, in clock ticks since boot: a pid alone may have been given anew. */
  start_time: string;
}

export function listPids(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** What is known of a process; undefined when it is gone. */
export function factsOf(pid: number): ProcessFacts | undefined {
  const stat = readProc(`${pid}/stat`);
  if (stat === '') return undefined;
  // Counted from the end of the name, which may itself hold spaces and parentheses.
  const [state, , group, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { dead: state === 'Z' || state === 'X', group: Number(group), start_time: rest[16] ?? '' };
}

/** The environment that a process was started with, one `NAME=value` an item; empty when it may not be read. */
export function environmentOf(pid: number): string[] {
  return readProc(`${pid}/environ`).split('\0');
}

/** The name of a process, without its arguments, which could hold a secret. */
export function nameOf(pid: number): string {
  return readProc(`${pid}/comm`).trim();
}

/**
 * The other processes that have one of these files open; where the system tells that some of them hold a lock for
 * writing (proc(5), /proc/locks), only those. Another user's stay unseen without the right to look.
 */
export function holdersOf(files: readonly string[]): number[] {
  const holders = listPids().filter(
    (pid) => pid !== process.pid && openFilesOf(pid).some((file) => files.includes(file)),
  );
  const locking = writeLockersOf(files);
  const writers = holders.filter((pid) => locking.has(pid));
  return writers.length > 0 ? writers : holders;
}

function openFilesOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
  } catch {
    return [];
  }
}

function linkOf(path: string): string[] {
  try {
    return [readlinkSync(path)];
  } catch {
    return [];
  }
}

function writeLockersOf(files: readonly string[]): Set<number> {
  const inodes = new Set(files.map((file) => String(statSync(file, { throwIfNoEntry: false })?.ino)));
  const locks = readProc('locks').matchAll(/^\d+: \S+ +\S+ +WRITE +(\d+) \S+:(\d+) /gm);
  return new Set([...locks].filter(([, , inode]) => inodes.has(inode!)).map(([, pid]) => Number(pid)));
}

/** A file below /proc, or nothing. */
export function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}
