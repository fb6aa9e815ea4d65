/**
 * Mints on a few keys until it is killed, a line for each mint: `chaos-host.mjs URL HOST`. HOST is the name under
 * which it leases its runs, for a few seconds each; without one it is a process of this host.
 */
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const [url, host] = process.argv.slice(2);
if (host) {
  os.hostname = () => host;
  syncBuiltinESMExports();
}
const { mint, openAuditStore } = await import('@alphaswarm/cloud-cli');

const oneOf = (...choices) => choices[Math.floor(Math.random() * choices.length)];
const hasty = (event) =>
  host && event.kind === 'PENDING'
    ? { ...event, lease: { ...event.lease, deadline: new Date(Date.now() + 5000).toISOString() } }
    : event;

const ledger = await openAuditStore(url);
const audit = {
  append: (event) => ledger.append(hasty(event)),
  get: (run_id) => ledger.get(run_id),
  latest: (key) => ledger.latest(key),
};

for (;;) {
  const request = {
    provider: 'aws',
    target_credential_key: `idp:aws:${oneOf('one', 'two', 'three', 'four', 'five')}`,
    role_arn: `arn:aws:iam::123456789012:role/${oneOf('deploy', 'deploy', 'deploy', 'denied', 'slow')}`,
  };
  const answer = await mint(request, { audit, persist: () => sleep(Math.random() * 100) }).then(
    ({ audit_run_id }) => ({ code: 'minted', run_id: audit_run_id }),
    ({ code, message }) => ({ code: code ?? 'no code', message }),
  );
  console.log(JSON.stringify(answer));
  if (answer.code !== 'minted') await sleep(Math.random() * 300);
}
