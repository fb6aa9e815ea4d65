/** Keeps a sign-in's attempt while the tab is away at the issuer. It holds no token, and is gone once it is used. */
import type { Attempt } from './sign-in.js';

const place = 'cloud-cli-sign-in';

export function keepAttempt(attempt: Attempt): void {
  sessionStorage.setItem(place, JSON.stringify(attempt));
}

export function takeAttempt(): Attempt | undefined {
  const kept = sessionStorage.getItem(place);
  sessionStorage.removeItem(place);
  return kept === null ? undefined : JSON.parse(kept);
}
