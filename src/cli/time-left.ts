/** How long a credential lives from now on, as a person says it. */
import type { CredentialMetadata } from '../credential.js';

type Expiring = Pick<CredentialMetadata, 'expires_at'>;

/** Such as 59m, 1h 5m or expired. */
export function timeLeft({ expires_at }: Expiring, now = Date.now()): string {
  const seconds = Math.floor((Date.parse(expires_at) - now) / 1000);
  if (!(seconds > 0)) return 'expired';
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}m` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}

/** The same where no name says that it is what is left. */
export function sayLeft(expiring: Expiring): string {
  const left = timeLeft(expiring);
  return left === 'expired' ? left : `${left} left`;
}
