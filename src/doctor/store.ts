/** The credential store: a canary goes in, comes out as it was, and is removed. */
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Settings } from '../config.js';
import { type Credential, type CredentialStore, metadataOf, type PersistHook } from '../credential.js';
import { isCloudCliError } from '../errors.js';
import { joined } from '../joined.js';
import { CredentialKey } from '../key.js';
import { persistSeconds } from '../persist.js';
import { newRunId } from '../run-id.js';
import { Secret } from '../secret.js';
import { shellWord } from '../shell.js';
import { openCredentialStore } from '../stores/open.js';
import { beside, isThere, nearest } from './beside.js';
import { type Finding, ok, problem } from './finding.js';

export async function storeFinding(
  { store_url: url, age_recipients: recipients }: Settings,
  signal: AbortSignal,
): Promise<Finding> {
  const [, given] = /^file:(.+)$/s.exec(url) ?? [];
  const directory = given === undefined ? undefined : resolve(given);
  const options = { recipients };
  try {
    const store = await openCredentialStore(url, options);
    try {
      if (directory === undefined || isReady(directory, recipients)) {
        return await roundTrip(store, url, recipients, signal);
      }
    } finally {
      await store.close();
    }
    // Its first persist makes an identity, which must stay: another process may have encrypted to it by then.
    return await beside(directory, async (trial) => {
      const other = await openCredentialStore(`file:${join(trial, 'credentials')}`, options);
      const found = await roundTrip(other, url, recipients, signal);
      if (found.status !== 'ok') return found;
      return ok('store', `${url} is not there yet; the first mint makes it (${tried(recipients)} beside it)`);
    });
  } catch (error) {
    if (isCloudCliError(error)) return refusal(error.message, error.hint);
    const { code } = error as NodeJS.ErrnoException;
    if (directory === undefined || code === undefined) throw error;
    return refusal(
      `${directory} is not there yet and cannot be made in ${nearest(directory)} (${code})`,
      `Make it for this user: mkdir -p -m 700 ${shellWord(directory)}; or name another place in CLOUD_CLI_STORE_URL.`,
    );
  }
}

/** Whether a persist into it leaves nothing but the credential. */
function isReady(directory: string, recipients: readonly string[]): boolean {
  return isThere(recipients.length > 0 ? directory : join(directory, 'identity.txt'));
}

async function roundTrip(
  store: CredentialStore,
  url: string,
  recipients: readonly string[],
  signal: AbortSignal,
): Promise<Finding> {
  if (!store.persist) {
    return refusal(
      `${url} keeps nothing, so that every mint fails`,
      'Name a store that can write in CLOUD_CLI_STORE_URL, such as file:/path/to/credentials.',
    );
  }
  await store.ready?.();
  const { key, credential } = newCanary();
  let kept: boolean;
  try {
    await keep(store.persist, key, credential, signal);
    kept = await isAsKept(store, key, credential, recipients);
  } catch (error) {
    await isRemoved(store, key);
    throw error;
  }
  if (!(await isRemoved(store, key))) {
    return refusal(
      `${url} does not remove what it is told to`,
      `Run: cloud-cli credentials remove ${key}; it holds no credential of use.`,
    );
  }
  if (kept) return ok('store', `${url}: ${tried(recipients)}`);
  return refusal(
    `${url} took a canary and does not give it back as it was`,
    'Check the file system or service behind it, and whether something rewrites it.',
  );
}

async function isAsKept(
  store: CredentialStore,
  key: CredentialKey,
  credential: Canary,
  recipients: readonly string[],
): Promise<boolean> {
  const described = await store.describe(key);
  if (!described || JSON.stringify(described) !== JSON.stringify(metadataOf(credential))) return false;
  // With recipients the host is meant to write what it cannot read.
  if (recipients.length > 0) return true;
  const read = (await store.read(key)) as Canary | undefined;
  return read?.access_token?.fingerprint() === credential.access_token.fingerprint();
}

async function isRemoved(store: CredentialStore, key: CredentialKey): Promise<boolean> {
  try {
    await store.remove(key);
    return (await store.describe(key)) === undefined;
  } catch {
    return false;
  }
}

function tried(recipients: readonly string[]): string {
  if (recipients.length === 0) return 'a canary was kept, read back and removed';
  return `a canary was kept and removed, and not read back, since recipients are configured: ${recipients.length}`;
}

async function keep(
  persist: PersistHook,
  key: CredentialKey,
  credential: Canary,
  signal: AbortSignal,
): Promise<void> {
  const clock = AbortSignal.timeout(persistSeconds * 1000);
  await persist(key, credential, {
    run_id: credential.audit_run_id,
    signal: joined(signal, clock),
  });
}

type Canary = Credential & { access_token: Secret };

/** Under a key that no other doctor has, and that no mint will: two at a time must not meet. */
function newCanary() {
  const audit_run_id = newRunId();
  const key = new CredentialKey('cloud-cli', `doctor:${audit_run_id}`);
  const credential = {
    provider: 'doctor',
    credential_key: key.toString(),
    expires_at: new Date(Date.now() + 60_000).toISOString(),
    source_identity: 'canary',
    audit_run_id,
    access_token: new Secret(randomBytes(24).toString('base64url')),
  } as unknown as Canary;
  return { key, credential };
}

function refusal(message: string, hint: string): Finding {
  return problem('store', message, hint, 'persist_failed');
}
