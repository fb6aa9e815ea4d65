/** The operator's access token: a JWT (RFC 9068), checked by the issuer's published keys. */
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { isCloudCliError } from '../errors.js';
import { silenceAlgorithm } from '../experimental.js';
import { actorOf } from '../policy.js';
import { HeldTokens } from './held-tokens.js';
import { Problem } from './problem.js';

/** Whose tokens are taken (RFC 9068): signed with RS256, PS256, ES256 or EdDSA by a key of the issuer. */
export interface TokenIssuer {
  /** The `iss` of its tokens. */
  issuer: string;
  /** The `aud` that a token must name. */
  audience: string;
  /** Where its keys are published (JWKS). */
  jwks_url: string;
}

/** The claims of a token that holds; `sub` is a name that a ledger can show. */
export interface Claims extends JWTPayload {
  sub: string;
}

export interface TokenVerifier {
  /** @throws Problem `invalid_token`, or `upstream_unavailable` while the keys cannot be had */
  verify(request: Request): Promise<Claims>;
  /** Whether keys have been loaded; tries to, where they have not. */
  ready(): Promise<boolean>;
}

/** Asymmetric ones only: with a symmetric one, whoever knows the public key could sign. */
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const leewaySeconds = 5;
const scope = 'admin:cluster';

/** A key set is fetched at most every 30 seconds, whatever key ids the tokens name. */
export function createTokenVerifier({ issuer, audience, jwks_url }: TokenIssuer): TokenVerifier {
  silenceAlgorithm('Ed25519');
  const remote = createRemoteJWKSet(new URL(jwks_url), { timeoutDuration: 5000, cooldownDuration: 30_000 });
  const held = new HeldTokens<Claims>();
  return {
    verify: async (request) => {
      const token = bearerToken(request.headers.get('authorization'));
      try {
        const claims = await held.claimsOf(token, () => verified(token));
        requireInTime(claims);
        return claims;
      } catch (error) {
        if (error instanceof Problem) throw error;
        throw invalidToken(reasonOf(error));
      }
    },
    ready: async () => {
      if (remote.jwks() === undefined) await remote.reload().catch(() => {});
      return remote.jwks() !== undefined;
    },
  };

  async function verified(token: string): Promise<Claims> {
    // `jku`, `x5u` and `jwk` of its header are not looked at: the key is one of the issuer's.
    const { payload, protectedHeader } = await jwtVerify(token, keyOf(remote), {
      algorithms,
      issuer,
      audience,
      clockTolerance: leewaySeconds,
      requiredClaims: ['exp', 'sub'],
    });
    requireType(protectedHeader.typ);
    return { ...payload, sub: requireActor(payload.sub) };
  }
}

/** As jose checks a token when it first comes; one that held a moment ago may have run out since. */
function requireInTime({ exp, nbf }: Claims): void {
  const now = Math.floor(Date.now() / 1000);
  if (exp !== undefined && exp <= now - leewaySeconds) throw invalidToken('it has expired');
  if (nbf !== undefined && nbf > now + leewaySeconds) throw invalidToken('its nbf is not accepted');
}

/** @throws Problem `insufficient_scope` */
export function requireScope(claims: Claims): void {
  if (!grants(claims.scope) && !grants(claims.scp)) throw scopeNeeded();
}

function grants(given: unknown): boolean {
  if (typeof given === 'string') return given.split(' ').includes(scope);
  return Array.isArray(given) && given.includes(scope);
}

/** The answer to a token that lacks the scope. */
export function scopeNeeded(): Problem {
  return new Problem(
    {
      code: 'insufficient_scope',
      message: `the access token lacks the scope ${scope}`,
      hint: `Have the issuer grant ${scope} to this operator, then sign in again.`,
    },
    {
      headers: {
        'WWW-Authenticate': `Bearer error="insufficient_scope", error_description="The access token lacks the scope ${scope}", scope="${scope}"`,
      },
    },
  );
}

/** `why` follows "the access token was refused:", and is ours: nothing of the token is in it. */
export function invalidToken(why: string): Problem {
  return new Problem(
    {
      code: 'invalid_token',
      message: `the access token was refused: ${why}`,
      hint: 'Sign in again for a new access token.',
    },
    {
      headers: {
        'WWW-Authenticate': `Bearer error="invalid_token", error_description="The access token was refused: ${why}"`,
      },
    },
  );
}

/** RFC 6750 section 2.1: the header alone, since a token in a URL ends in logs. */
function bearerToken(header: string | null): string {
  const [, token] = /^bearer +(.*)$/i.exec(header ?? '') ?? [];
  if (token) return token;
  // RFC 6750 section 3.1: a call without a token is told no error code.
  throw new Problem(
    {
      code: 'invalid_token',
      message: 'the call has no access token',
      hint: 'Send it as Authorization: Bearer TOKEN.',
    },
    { headers: { 'WWW-Authenticate': 'Bearer' } },
  );
}

/** The issuer's key for a token; that they cannot be loaded is no fault of the token's. */
function keyOf(remote: JWTVerifyGetKey): JWTVerifyGetKey {
  return async (header, token) => {
    try {
      return await remote(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
        throw error;
      if (error instanceof errors.JOSENotSupported) throw error;
      throw new Problem({
        code: 'upstream_unavailable',
        message: "the issuer's keys cannot be loaded, so that no token can be checked",
        hint: 'Check CLOUD_CLI_JWKS_URL and the way from this host to it.',
      });
    }
  };
}

/** RFC 9068 section 2.1, and what issuers without it write. */
function requireType(typ: unknown): void {
  if (typ === undefined) return;
  if (typeof typ === 'string' && /^(?:application\/)?(?:at\+jwt|jwt)$/i.test(typ)) return;
  throw invalidToken('it is not an access token (typ)');
}

function requireActor(sub: unknown): string {
  try {
    return actorOf(sub ?? null);
  } catch (error) {
    if (isCloudCliError(error)) throw invalidToken('its sub is no name that a ledger could show');
    throw error;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed)
    return `its ${claimName(error.claim)} is not accepted`;
  if (error instanceof errors.JWKSNoMatchingKey) return 'no key of the issuer fits it';
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'it does not say which key signed it';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its algorithm is not allowed';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong';
  return 'it is not a signed JWT';
}

/** From jose's own list, not from the token. */
function claimName(claim: string): string {
  return ['iss', 'aud', 'exp', 'nbf', 'iat', 'sub'].includes(claim) ? claim : 'claim';
}
