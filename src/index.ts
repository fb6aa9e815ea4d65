/** The embedder's door: what `@alphaswarm/cloud-cli` promises, and nothing else. */
export { type BuiltArgv, buildArgv } from './argv.js';
export { type Checkpoint, signHead, verifyAgainst, verifyHead } from './audit/checkpoint.js';
export type {
  AuditStore,
  ChainedEvent,
  Head,
  Lease,
  NewEvent,
  RunEvent,
  RunFilter,
  RunStatus,
  Verification,
  WorkloadRun,
} from './audit/ledger.js';
export { bodyOf, chainHash, genesis, rowOf, verifyChain } from './audit/ledger.js';
export { openAuditStore } from './audit/open.js';
export {
  type AwsCredential,
  type AzureCredential,
  type Credential,
  type CredentialMetadata,
  type CredentialOf,
  type CredentialStore,
  type Envelope,
  type GcpCredential,
  type PersistHook,
  parseCredential,
  serializeCredential,
} from './credential.js';
export {
  type AnyCloudCliError,
  CloudCliError,
  type ErrorCode,
  exitCodes,
  type Failure,
  httpStatuses,
  type Issue,
  isCloudCliError,
  type Outcome,
} from './errors.js';
export {
  defaulted,
  defineHandler,
  type Explanation,
  explainBy,
  type Field,
  type Fields,
  type Handler,
  isToken,
  jsonObject,
  type Minted,
  type Output,
  offExpiry,
  offIdentity,
  offShape,
  optional,
  required,
  type Values,
} from './handler.js';
export { handlers } from './handlers/index.js';
export { CredentialKey } from './key.js';
export { type MintOptions, mint } from './mint.js';
export type { AllowRule, Verdict } from './policy.js';
export { type Preview, type PreviewOptions, preview } from './preview.js';
export { type FieldInfo, fieldsOf, type MoreHandlers } from './request.js';
export { CredentialResolver, type ResolveOptions } from './resolver.js';
export type { Command, Ending, Spawner } from './run.js';
export { Secret } from './secret.js';
export { openSpawnHelper, type SpawnHelper } from './spawn-helper.js';
export { openCredentialStore, type StoreOptions } from './stores/open.js';
