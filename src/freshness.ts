/** How long a credential must still live to be good enough: one window for a mint that may be spared and for a resolver. */
import { invalidRequest } from './errors.js';

/** The shortest time to live that will do, in milliseconds. @throws CloudCliError `invalid_request`, with `hint` */
export function windowMs(min_remaining_seconds: number, hint: string): number {
  if (Number.isFinite(min_remaining_seconds) && min_remaining_seconds >= 0)
    return min_remaining_seconds * 1000;
  const message = 'must be a number of seconds, 0 or more';
  throw invalidRequest([{ field: 'min_remaining_seconds', message }], hint);
}

/** How long a credential lives from now on, in milliseconds; one whose expiry cannot be read has long expired. */
export function msLeft({ expires_at }: { expires_at: string }): number {
  return (Date.parse(expires_at) || 0) - Date.now();
}
