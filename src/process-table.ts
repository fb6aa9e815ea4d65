/** Reads the processes of this host from /proc (proc(5)); where there is none, everything here is empty. */
import { readdirSync, readFileSync } from 'node:fs';

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

/** A file below /proc, or nothing. */
export function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}
