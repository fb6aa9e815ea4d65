/** A head of the chain under a signature: whoever has it and the public key finds a truncation, whatever this host says. */
import type { KeyObject } from 'node:crypto';
import { invalidRequest } from '../errors.js';
import { silenceAlgorithm } from '../experimental.js';
import { genesis, type Head, type Verification } from './chain.js';
import { refuseOtherKey } from './checkpoint-key.js';
import type { AuditStore } from './ledger.js';

/** A head that was signed, and when. */
export interface Checkpoint extends Head {
  /** RFC 3339 UTC. */
  signed_at: string;
}

/** Explicit typing (RFC 8725, 3.11): nothing else that this key signed passes for a checkpoint. */
const typ = 'cloud-cli-head+jwt';
/** RFC 8037: with an Ed25519 key. No other is accepted, `none` and the HMACs least of all. */
const alg = 'EdDSA';

/** The head as a compact JWS (RFC 7515) over `{seq, hash, iat}`. @throws CloudCliError `invalid_request` for another key */
export async function signHead({ seq, hash }: Head, privateKey: KeyObject): Promise<string> {
  refuseOtherKey(privateKey, 'private');
  const { CompactSign } = await loadJose();
  const payload = JSON.stringify({ seq, hash, iat: Math.floor(Date.now() / 1000) });
  return new CompactSign(new TextEncoder().encode(payload)).setProtectedHeader({ alg, typ }).sign(privateKey);
}

/** What {@link signHead} signed. @throws CloudCliError `invalid_request` for what this key has not signed */
export async function verifyHead(jws: string, publicKey: KeyObject): Promise<Checkpoint> {
  refuseOtherKey(publicKey, 'public');
  const { compactVerify } = await loadJose();
  const verified = await compactVerify(jws, publicKey, { algorithms: [alg] }).catch(() => undefined);
  const claims = verified?.protectedHeader.typ === typ ? claimsIn(verified.payload) : undefined;
  if (claims) return claims;
  throw invalidRequest(
    [{ field: 'head', message: 'is no checkpoint that this key signed' }],
    'Check that the public key is that of the host; if it is, somebody changed or forged the checkpoint.',
  );
}

/** Whether `value` has the form of a head. */
export function isHead(value: unknown): value is Head {
  const { seq, hash } = (value ?? {}) as Partial<Head>;
  return Number.isSafeInteger(seq) && seq! >= 0 && typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash);
}

/**
 * Reads the whole chain; each of `saved` must still be a part of it. The newest alone would not do: whoever cuts the
 * end off and lets the host go on has the next head signed too.
 */
export async function verifyAgainst(
  ledger: Pick<AuditStore, 'verify' | 'events'>,
  saved: readonly Head[],
  watch?: (events: number) => void,
): Promise<Verification> {
  const [newest, ...others] = saved.toSorted((a, b) => b.seq - a.seq);
  const found = await ledger.verify(newest, watch);
  if (!found.ok || others.length === 0) return found;
  const due = new Map<number, Set<string>>();
  for (const { seq, hash } of saved) due.set(seq, (due.get(seq) ?? new Set()).add(hash));
  const replaced = (seq: number, hash: string) => [...(due.get(seq) ?? [])].some((other) => other !== hash);
  const fail = (seq: number): Verification => ({
    ok: false,
    events: found.events,
    problem: `event ${seq} is not the one that a checkpoint names: the chain was replaced`,
  });
  if (replaced(0, genesis)) return fail(0);
  for await (const { seq, hash } of ledger.events()) if (replaced(seq, hash)) return fail(seq);
  return found;
}

function claimsIn(payload: Uint8Array): Checkpoint | undefined {
  let claims: unknown;
  try {
    claims = JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return undefined;
  }
  const { iat } = (claims ?? {}) as { iat?: unknown };
  const signed = typeof iat === 'number' ? new Date(iat * 1000) : undefined;
  if (!isHead(claims) || !signed || Number.isNaN(signed.getTime())) return undefined;
  return { seq: claims.seq, hash: claims.hash, signed_at: signed.toISOString() };
}

function loadJose() {
  silenceAlgorithm('Ed25519');
  return import('jose');
}
