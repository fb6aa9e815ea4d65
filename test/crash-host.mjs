/** Mints in a process of its own that dies by SIGKILL at the step named in argv: `crash-host.mjs STEP HOME REQUEST`. */
import { join } from 'node:path';
import { mint, openAuditStore, openCredentialStore } from '@alphaswarm/cloud-cli';

const [step, home, request] = process.argv.slice(2);
const die = () => process.kill(process.pid, 'SIGKILL');

const audit = await openAuditStore(`sqlite:${join(home, 'audit.sqlite')}`);
const store = await openCredentialStore(`file:${join(home, 'credentials')}`);

const dyingLedger = {
  append: async (event) => {
    if (step === `before ${event.kind}`) die();
    await audit.append(event);
    if (step === `after ${event.kind}`) die();
  },
  get: (run_id) => audit.get(run_id),
  latest: (key) => audit.latest(key),
};

const dyingPersist = async (key, credential, context) => {
  const [, ms] = /^(\d+) ms into persist$/.exec(step) ?? [];
  if (ms !== undefined) setTimeout(die, Number(ms));
  await store.persist(key, credential, context);
  if (ms !== undefined) die();
};

console.log(JSON.stringify(await mint(JSON.parse(request), { audit: dyingLedger, persist: dyingPersist })));
