/** Where a host looks for a credential: a chain of stores. */
import type { Credential, CredentialStore } from './credential.js';
import { CloudCliError } from './errors.js';
import { msLeft, windowMs } from './freshness.js';
import type { CredentialKey } from './key.js';

/** When a credential is good enough. */
export interface ResolveOptions {
  /** Prefer a credential that lives longer than this; 0, the default, prefers none among those that live. */
  min_remaining_seconds?: number | undefined;
}

/** Looks for a credential in a chain of stores. */
export class CredentialResolver {
  readonly #stores: readonly Pick<CredentialStore, 'read'>[];
  readonly #leastMs: number;

  /** `stores` are asked in this order; `options` hold for each call that does not say otherwise. */
  constructor(stores: readonly Pick<CredentialStore, 'read'>[], options: ResolveOptions = {}) {
    this.#stores = [...stores];
    this.#leastMs = leastMsOf(options) ?? 0;
  }

  /**
   * The first credential that lives longer than the window. Where no store has one that does, it is the one that
   * lives longest: a renewal that is late must not take away what still works, and who cannot use it sees its
   * `expires_at`. The SDKs refresh by the same rule: early where they can, and failing only at the expiry.
   * @throws CloudCliError `not_found`, or `expired` where the stores hold only such; and what a store throws, since
   * a later store's answer would hide that an earlier one is broken
   */
  async resolve(key: CredentialKey, options: ResolveOptions = {}): Promise<Credential> {
    const leastMs = leastMsOf(options) ?? this.#leastMs;
    let latest: Credential | undefined;
    for (const store of this.#stores) {
      const credential = await store.read(key);
      if (!credential) continue;
      if (msLeft(credential) > leastMs) return credential;
      latest = latest && msLeft(latest) >= msLeft(credential) ? latest : credential;
    }
    if (latest && msLeft(latest) > 0) return latest;
    const hint = `Mint it${latest ? ' again' : ''}: cloud-cli mint ... --target-credential-key ${key}`;
    if (latest) throw new CloudCliError('expired', `${key} expired at ${latest.expires_at}`, { hint });
    throw new CloudCliError('not_found', `no store holds ${key}`, { hint });
  }
}

function leastMsOf({ min_remaining_seconds: least }: ResolveOptions): number | undefined {
  if (least === undefined) return undefined;
  return windowMs(least, 'Leave it out to take any credential that has not expired.');
}
