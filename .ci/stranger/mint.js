/** A stranger's plain JavaScript: mints through the simulated CLIs of the package, and reads what was kept. */
import assert from 'node:assert/strict';
import {
  CredentialKey,
  CredentialResolver,
  mint,
  openAuditStore,
  openCredentialStore,
} from '@alphaswarm/cloud-cli';

const audit = await openAuditStore('sqlite:audit.sqlite');
const store = await openCredentialStore('file:credentials');
const request = {
  provider: 'aws',
  target_credential_key: 'idp:aws:prod',
  role_arn: 'arn:aws:iam::123456789012:role/deploy',
};
const envelope = await mint(request, { audit, persist: store.persist });

const credential = await new CredentialResolver([store]).resolve(new CredentialKey('idp', 'aws:prod'));
assert.equal(credential.audit_run_id, envelope.audit_run_id);
assert.match(credential.secret_access_key.reveal(), /^\S+$/);
const run = await audit.get(envelope.audit_run_id);
assert.equal(run.status, 'SUCCEEDED');
assert.deepEqual((await audit.verify()).ok, true);
await audit.close();
await store.close();
