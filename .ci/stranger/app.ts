/** A stranger's program: every entry point of Node, by its types. */
import {
  CredentialKey,
  CredentialResolver,
  type Envelope,
  isCloudCliError,
  mint,
  openAuditStore,
  openCredentialStore,
  type Secret,
} from '@alphaswarm/cloud-cli';
import { openPostgresAuditStore } from '@alphaswarm/cloud-cli/audit/postgres';
import { openSqliteAuditStore } from '@alphaswarm/cloud-cli/audit/sqlite';
import { awsCredentialProvider } from '@alphaswarm/cloud-cli/sdk/aws';
import { azureTokenCredential } from '@alphaswarm/cloud-cli/sdk/azure';
import { gcpAuthClient } from '@alphaswarm/cloud-cli/sdk/gcp';
import { openAwsSecretsManagerStore } from '@alphaswarm/cloud-cli/stores/aws-secretsmanager';
import { openAwsSsmStore } from '@alphaswarm/cloud-cli/stores/aws-ssm';
import { openAzureKeyVaultStore } from '@alphaswarm/cloud-cli/stores/azure-keyvault';
import { openFileStore } from '@alphaswarm/cloud-cli/stores/file';
import { openGcpSecretManagerStore } from '@alphaswarm/cloud-cli/stores/gcp-secretmanager';
import { openVaultStore } from '@alphaswarm/cloud-cli/stores/vault';
import { persistSample, sampleCredential } from '@alphaswarm/cloud-cli/testing';

const store = await openCredentialStore('file:credentials');
const audit = await openAuditStore('sqlite:audit.sqlite');
try {
  const envelope: Envelope = await mint(
    { provider: 'aws', target_credential_key: 'idp:aws:prod' },
    { persist: store.persist, audit },
  );
  console.log(envelope.expires_at);
} catch (error) {
  if (isCloudCliError(error) && error.code === 'invalid_request')
    console.log(error.details.issues.map((issue) => issue.field));
}
const credential = await new CredentialResolver([store]).resolve(new CredentialKey('idp', 'aws:prod'));
if (credential.provider === 'aws') {
  const secret: Secret = credential.secret_access_key;
  console.log(String(secret));
}
await persistSample(store.persist ?? (() => {}), sampleCredential({ provider: 'gcp' }));
await openVaultStore('vault+https://vault.example/secret', { env: { VAULT_TOKEN: 'x' }, call_seconds: 5 });

export {
  awsCredentialProvider,
  azureTokenCredential,
  gcpAuthClient,
  openAwsSecretsManagerStore,
  openAwsSsmStore,
  openAzureKeyVaultStore,
  openFileStore,
  openGcpSecretManagerStore,
  openPostgresAuditStore,
  openSqliteAuditStore,
};
