/** How a run whose process is gone is closed: its vendor process is ended, and what the cloud may hold is stated. */
import { endVendorProcesses } from '../orphan.js';
import type { FailedEvent, IssuedEvent, PendingEvent } from './ledger.js';

/** Ends what is left of the run on this host, and makes the event that closes it. */
export function abandon(
  pending: PendingEvent,
  issued: IssuedEvent | undefined,
  now = new Date(),
): Omit<FailedEvent, 'at'> {
  const ended = endVendorProcesses(pending.run_id);
  // A clock that was set back since must not say that less is live.
  const latest = Math.max(now.getTime(), Date.parse(pending.at));
  const died = `the process that minted it (pid ${pending.lease.pid} on ${pending.host}) is gone`;
  return {
    kind: 'FAILED',
    run_id: pending.run_id,
    duration_ms: Math.max(0, now.getTime() - Date.parse(pending.at)),
    error: { code: 'abandoned', message: ended > 0 ? `${died}; its vendor process was ended` : died },
    ...(issued
      ? { outcome: 'issued', live_until: issued.expires_at }
      : // The vendor may have been answered at any time until now.
        {
          outcome: 'unknown',
          live_until: new Date(latest + pending.exposure_seconds * 1000).toISOString(),
        }),
  };
}
