/** Who answers for a run in flight, and whether that process still lives. */
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { factsOf, readProc } from '../process-table.js';
import type { Lease } from './ledger.js';

/** Runs of this very process: of these it knows, without asking the system. */
const held = new Set<string>();

/** A lease on `run_id` in the name of this process, until {@link releaseLease}. */
export function takeLease(run_id: string, deadline: Date): Lease {
  held.add(run_id);
  return { ...self(), deadline: deadline.toISOString() };
}

/** Ends this process's claim on a run, closed or not. */
export function releaseLease(run_id: string): void {
  held.delete(run_id);
}

/**
 * Whether the run behind a lease can still be going on. A clock decides only where nothing better does: for a
 * process on another host, in another pid namespace, or where one of the two cannot see the boot id.
 *
 * `isShared` says that the ledger serves many hosts. Two of those may have one name, so that another boot id under
 * the same name need not be an earlier boot of this host.
 */
export function isLive(run_id: string, lease: Lease, now = Date.now(), isShared = false): boolean {
  const here = self();
  if (lease.host !== here.host) return now < Date.parse(lease.deadline);
  const isHidden = (lease.boot_id === '') !== (here.boot_id === '');
  if (lease.boot_id !== here.boot_id && !isHidden) return isShared && now < Date.parse(lease.deadline);
  if (isHidden || lease.pid_namespace !== here.pid_namespace) return now < Date.parse(lease.deadline);
  if (lease.pid === here.pid && lease.start_time === here.start_time) return held.has(run_id);
  return isRunning(lease);
}

let own: Omit<Lease, 'deadline'> | undefined;

function self(): Omit<Lease, 'deadline'> {
  own ??= {
    host: hostname(),
    boot_id: readProc('sys/kernel/random/boot_id').trim(),
    pid_namespace: pidNamespace(),
    pid: process.pid,
    start_time: factsOf(process.pid)?.start_time ?? '',
  };
  return own;
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** A pid that lives under the same start time; where /proc does not tell, a pid that lives. */
function isRunning(lease: Lease): boolean {
  const facts = factsOf(lease.pid);
  if (facts) return !facts.dead && facts.start_time === lease.start_time;
  if (lease.start_time !== '') return false;
  try {
    process.kill(lease.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
