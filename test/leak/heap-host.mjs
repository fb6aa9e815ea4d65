/** Mints with every provider, lets go of all that came of it unless told to keep it, and writes its heap to a file. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeHeapSnapshot } from 'node:v8';
import { mint, openAuditStore, openCredentialStore } from '@alphaswarm/cloud-cli';

const { home, keep, canary, requests } = JSON.parse(process.argv[2] ?? '{}');
const audit = await openAuditStore(`sqlite:${join(home, 'audit.sqlite')}`);
const store = await openCredentialStore(`file:${join(home, 'credentials')}`);
const kept = [];
for (const request of requests) {
  await mint(request, {
    audit,
    env: { PATH: process.env.PATH, HOME: home, FIXTURE_CANARY: canary },
    persist: (key, credential, context) => {
      if (keep) kept.push(credential);
      return store.persist(key, credential, context);
    },
  }).catch(() => {});
}
await sleep(1000);
writeHeapSnapshot(join(home, 'heap'));
process.exit(kept.length > 0 === keep ? 0 : 1);
