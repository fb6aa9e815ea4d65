/**
 * Tokens whose signature was found good a moment ago, by their hash: a page sends the same one with every call. A key
 * that the issuer withdraws counts hardly longer by it, since its keys are cached for minutes; what depends on the time
 * is for the caller to check at each call.
 */
import { hash } from 'node:crypto';
import { monotonicMs } from '../monotonic.js';

const momentMs = 5000;
const mostHeld = 1000;

export class HeldTokens<T> {
  readonly #held = new Map<string, { until: number; claims: T }>();

  /** The claims of `token`, or what `verify` finds, which must reject a token that does not hold. */
  async claimsOf(token: string, verify: () => Promise<T>): Promise<T> {
    const id = hash('sha256', token, 'base64');
    const now = monotonicMs();
    const known = this.#held.get(id);
    if (known && known.until > now) return known.claims;
    const claims = await verify();
    if (this.#held.size >= mostHeld) this.#held.clear();
    this.#held.set(id, { until: now + momentMs, claims });
    return claims;
  }
}
