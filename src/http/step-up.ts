/** Step-up (RFC 9470): how long ago the operator authenticated, and the challenge to do it again. */
import { stepUpChallenge } from '../challenge.js';
import { Problem } from './problem.js';
import { type Claims, invalidToken } from './token.js';

/** Seconds that an authentication stays fresh unless configured. */
export const defaultMaxAgeSeconds = 180;

/** How fresh an authentication must be to preview and mint (RFC 9470). */
export interface StepUp {
  /** Seconds that an authentication may be old; default 180. */
  step_up_max_age_seconds?: number | undefined;
  /** The claim that tells when it was; default `auth_time`. A silent refresh renews `iat`. */
  freshness_claim?: 'auth_time' | 'iat' | undefined;
}

/** Seconds that the issuer's clock may be ahead of ours. */
const aheadSeconds = 5;

/**
 * Lets a fresh authentication pass: one of exactly the maximum age does, without leeway.
 * @throws Problem `insufficient_user_authentication` with RFC 9470's challenge, or `invalid_token` for one to come
 */
export function requireFresh(claims: Claims, { step_up_max_age_seconds, freshness_claim }: StepUp): void {
  const most = step_up_max_age_seconds ?? defaultMaxAgeSeconds;
  const claim = freshness_claim ?? 'auth_time';
  const at = claims[claim];
  const now = Math.floor(Date.now() / 1000);
  if (typeof at === 'number' && at > now + aheadSeconds) throw invalidToken(`its ${claim} is in the future`);
  if (typeof at === 'number' && now - at <= most) return;
  throw stepUpNeeded(most);
}

/** The answer that asks for an authentication no older than `max_age` seconds. */
export function stepUpNeeded(max_age: number): Problem {
  return new Problem(
    {
      code: 'insufficient_user_authentication',
      message: `an authentication within the last ${max_age} seconds is required`,
      hint: 'Authenticate again (step-up), then send the call with the new token.',
    },
    {
      headers: {
        'WWW-Authenticate': stepUpChallenge({
          max_age,
          description: 'A more recent authentication is required',
        }),
      },
    },
  );
}
