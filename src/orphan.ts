/** Vendor processes that outlived whoever started them: found by the mark in their environment, and ended. */
import { runIdVariable } from './environment.js';
import { environmentOf, listPids } from './process-table.js';

/**
 * Ends every process on this host that carries the run's id in its environment, and says how many there were.
 * Linux only: elsewhere a process's environment cannot be read, and nothing is ended.
 */
export function endVendorProcesses(run_id: string): number {
  const mark = `${runIdVariable}=${run_id}`;
  let ended = 0;
  for (const pid of listPids()) {
    if (pid === process.pid || !environmentOf(pid).includes(mark)) continue;
    try {
      process.kill(pid, 'SIGKILL');
      ended += 1;
    } catch {
      // It ended by itself in the meantime.
    }
  }
  return ended;
}
