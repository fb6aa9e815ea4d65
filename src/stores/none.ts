/** `none:`, the store that keeps nothing: with it every mint fails as `persist_failed` before it spawns. */
import type { CredentialStore } from '../credential.js';

export const noStore: CredentialStore = {
  read: async () => undefined,
  describe: async () => undefined,
  list: async () => [],
  remove: async () => false,
  close: async () => {},
};
