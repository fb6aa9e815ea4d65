/** The embedder's door: what `@alphaswarm/cloud-cli` promises, and nothing else. */
/// <reference types="node" preserve="true" />
export { type BuiltArgv, buildArgv } from './argv.js';
export type { ChainedEvent, Head, Verification } from './audit/chain.js';
export { chainHash, genesis, verifyChain } from './audit/chain.js';
export { type Checkpoint, signHead, verifyAgainst, verifyHead } from './audit/checkpoint.js';
export type {
  AuditStore,
  FailedEvent,
  IssuedEvent,
  Lease,
  NewEvent,
  PendingEvent,
  RecordedEvent,
  RunEvent,
  RunFilter,
  RunStatus,
  SucceededEvent,
  WorkloadRun,
} from './audit/ledger.js';
export { bodyOf, rowOf } from './audit/ledger.js';
export { openAuditStore } from './audit/open.js';
export type { BinaryPin, BinaryPins, BinaryProblem } from './binary.js';
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
  type Details,
  type DetailsByCode,
  type ErrorCode,
  exitCodes,
  type Failure,
  type FailureFacts,
  httpStatuses,
  type Issue,
  isCloudCliError,
  type Outcome,
} from './errors.js';
export {
  type Checkup,
  defaulted,
  defineHandler,
  type Explanation,
  explainBy,
  type Field,
  type Fields,
  type Handler,
  type HarmfulSetting,
  isToken,
  jsonObject,
  type Minted,
  type Output,
  offExpiry,
  offIdentity,
  offShape,
  optional,
  type Question,
  required,
  type Values,
} from './handler.js';
export { handlers } from './handlers/index.js';
export { CredentialKey } from './key.js';
export { type MintOptions, mint } from './mint.js';
export type { AllowRule, Verdict } from './policy.js';
export { type Preview, type PreviewOptions, preview } from './preview.js';
export type { Provenance } from './provenance.js';
export type { FreshnessOptions } from './recorded.js';
export { type FieldInfo, fieldsOf, type MoreHandlers } from './request.js';
export { CredentialResolver, type ResolveOptions } from './resolver.js';
export type { Command, Ending, Spawner } from './run.js';
export { Secret } from './secret.js';
export { openSpawnHelper, type SpawnHelper } from './spawn-helper.js';
export { openCredentialStore, type StoreOptions } from './stores/open.js';
export type { EndpointOptions, RemoteOptions } from './stores/remote.js';
