/** Run ids: UUIDv7 (RFC 9562 section 5.7), so that they sort by the time they were made. */
import { randomUUID } from 'node:crypto';

/** A new run id in lower-case hexadecimal. */
export function newRunId(now = Date.now()): string {
  const time = now.toString(16).padStart(12, '0');
  // Behind the version, a UUIDv4 is as random and has the same variant; and Node keeps randomness in stock for it.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

/** A UUIDv7 as this package writes it; RFC 9562 asks writers for lower case. */
export const runIdPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
