/** Run ids: UUIDv7 (RFC 9562 section 5.7), so that they sort by the time they were made. */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

/** A new run id in lower-case hexadecimal. */
export function newRunId(now = Date.now()): string {
  const bytes = random(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** From the system itself where it has a file for it: loading node:crypto takes a third of what a preview does. */
function random(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  try {
    const file = openSync('/dev/urandom', 'r');
    try {
      if (readSync(file, bytes, 0, length, null) === length) return bytes;
    } finally {
      closeSync(file);
    }
  } catch {}
  return randomBytes(length);
}

/** A UUIDv7 as this package writes it; RFC 9562 asks writers for lower case. */
export const runIdPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
