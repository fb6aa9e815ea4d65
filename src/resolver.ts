/** Where a host looks for a credential: a chain of stores. */
import type { Credential, CredentialStore } from './credential.js';
import { CloudCliError } from './errors.js';
import type { CredentialKey } from './key.js';

export class CredentialResolver {
  readonly #stores: readonly Pick<CredentialStore, 'read'>[];

  /** `stores` are asked in this order. */
  constructor(stores: readonly Pick<CredentialStore, 'read'>[]) {
    this.#stores = [...stores];
  }

  /**
   * The first credential that has not expired.
   * @throws CloudCliError `not_found`, or `expired` where the stores hold only such; and what a store throws, since
   * a later store's answer would hide that an earlier one is broken
   */
  async resolve(key: CredentialKey): Promise<Credential> {
    let latest: Credential | undefined;
    for (const store of this.#stores) {
      const credential = await store.read(key);
      if (!credential) continue;
      if (Date.parse(credential.expires_at) > Date.now()) return credential;
      latest = latest && latest.expires_at >= credential.expires_at ? latest : credential;
    }
    const hint = `Mint it${latest ? ' again' : ''}: cloud-cli mint ... --target-credential-key ${key}`;
    if (latest) throw new CloudCliError('expired', `${key} expired at ${latest.expires_at}`, { hint });
    throw new CloudCliError('not_found', `no store holds ${key}`, { hint });
  }
}
