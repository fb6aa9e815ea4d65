/** Reading a stored credential, against reading and decrypting its file by hand. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CredentialKey, CredentialResolver, openCredentialStore } from '@alphaswarm/cloud-cli';
import { sampleCredential } from '@alphaswarm/cloud-cli/testing';
import { Decrypter } from 'age-encryption';
import { compare, timed } from './pairs.mjs';

export const storeRows = [
  {
    name: 'resolve() of a stored credential / by hand',
    goal: 1.3,
    async run(lab, pairs = 100) {
      const directory = lab.fresh('credentials');
      const store = await openCredentialStore(`file:${directory}`);
      const key = CredentialKey.parse('bench:aws');
      const credential = sampleCredential({ credential_key: `${key}` });
      await store.persist(key, credential, {
        run_id: credential.audit_run_id,
        signal: new AbortController().signal,
      });
      const resolver = new CredentialResolver([store]);
      return compare({
        ours: () => timed(() => resolver.resolve(key)),
        other: () => timed(() => byHand(directory)),
        pairs,
      });
    },
  },
];

async function byHand(directory) {
  const [file, identities] = await Promise.all([
    readFile(join(directory, 'bench:aws.age')),
    readFile(join(directory, 'identity.txt'), 'utf8'),
  ]);
  const decrypter = new Decrypter();
  decrypter.addIdentity(identities.split('\n').find((line) => line.startsWith('AGE-SECRET-KEY-')));
  return JSON.parse(await decrypter.decrypt(file, 'text'));
}
