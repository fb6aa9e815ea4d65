/** Asks a store whether it is ready and hands it a credential, each with a clock, and says what went wrong without quoting it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Credential, PersistHook } from './credential.js';
import { CloudCliError, isCloudCliError } from './errors.js';
import type { CredentialKey } from './key.js';
import { Secret } from './secret.js';

/** Seconds that a hook may take. */
export const persistSeconds = 30;
/** Seconds that a hook may take to settle once its signal has aborted: what it kept by then counts. */
const settleSeconds = 2;
/** Seconds that a store may take to say that it is ready. */
const readySeconds = 10;

/** @throws CloudCliError what `ready` rejects with, as a failure before anything was spawned */
export async function requireReady(ready: (() => Promise<void>) | undefined): Promise<void> {
  if (!ready) return;
  let clock: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    clock = setTimeout(resolve, readySeconds * 1000, 'late');
  });
  const asked = (async () => ready())().then(
    () => 'ready' as const,
    (error: unknown) => ({ error }),
  );
  const outcome = await Promise.race([asked, late]);
  clearTimeout(clock);
  if (outcome === 'ready') return;
  const why = outcome === 'late' ? `no answer within ${readySeconds} seconds` : nameOf(outcome.error);
  const failure: CloudCliError =
    outcome !== 'late' && isCloudCliError(outcome.error)
      ? (outcome.error as CloudCliError)
      : new CloudCliError('persist_failed', `the store is not ready (${why})`, {
          hint: 'Mend the store, then run again.',
        });
  throw failure.with({ outcome: 'not_issued' });
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

/** @throws CloudCliError `persist_failed`, or `cancelled` when the caller gave up. */
export async function handOver(
  persist: PersistHook,
  key: CredentialKey,
  credential: Credential,
  context: { run_id: string; signal: AbortSignal | undefined },
): Promise<void> {
  const stop = new AbortController();
  const clock = setTimeout(() => stop.abort(), persistSeconds * 1000);
  const cancel = () => stop.abort();
  context.signal?.addEventListener('abort', cancel, { once: true });
  const late = aborted(stop.signal).then(() => sleep(settleSeconds * 1000, 'late' as const));
  if (context.signal?.aborted) cancel();
  const kept = (async () => persist(key, credential, { run_id: context.run_id, signal: stop.signal }))().then(
    () => 'kept' as const,
    (error: unknown) => ({ error }),
  );
  const outcome = await Promise.race([kept, late]);
  clearTimeout(clock);
  context.signal?.removeEventListener('abort', cancel);
  if (outcome === 'kept') return;
  if (context.signal?.aborted) {
    throw new CloudCliError('cancelled', 'the mint was cancelled while its credential was being persisted', {
      hint: 'The credential may be live in the cloud until it expires; run again when you want one.',
    });
  }
  if (outcome === 'late') {
    throw new CloudCliError(
      'persist_failed',
      `the persist hook did not finish within ${persistSeconds} seconds`,
      {
        hint: 'Check the store that it writes to, then run again; the credential minted here is lost.',
      },
    );
  }
  throw hookFailure(outcome.error, credential);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** The hook has seen the secret: of a foreign error only its name and errno are told, and ours are scrubbed. */
function hookFailure(error: unknown, credential: Credential): CloudCliError {
  const hint =
    'Configure a store that can write, or mend the persist hook, then run again; the credential minted here is lost.';
  if (isCloudCliError(error)) {
    const secrets = Object.values(credential).filter((value) => value instanceof Secret);
    const scrub = (text: string) => secrets.reduce((scrubbed, secret) => secret.scrub(scrubbed), text);
    return new CloudCliError('persist_failed', scrub(error.message), { hint: scrub(error.hint) });
  }
  // A hook may also reject with nothing.
  const { name, code } = Object(error) as { name?: unknown; code?: unknown };
  const told = [name, code].filter(
    (part) => typeof part === 'string' && /^[A-Za-z][A-Za-z0-9_]{0,40}$/.test(part),
  );
  return new CloudCliError(
    'persist_failed',
    `the persist hook threw${told.length > 0 ? ` (${told.join(' ')})` : ''}`,
    { hint },
  );
}
