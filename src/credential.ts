/** A minted credential, as a persist hook receives it and a resolver returns it, and its form at rest. */
import type { Handler } from './handler.js';
import type { handlers } from './handlers/index.js';
import type { CredentialKey } from './key.js';
import { Secret } from './secret.js';

/** What may be known of a credential without reading it. Times are RFC 3339 UTC. */
export interface CredentialMetadata {
  /** The handler's name. */
  provider: string;
  /** Where it is kept, such as `idp:aws:prod`. */
  credential_key: string;
  /** RFC 3339 UTC. */
  expires_at: string;
  /** Role ARN, service-account email or subscription id. */
  source_identity: string;
  /** The run of the ledger that minted it. */
  audit_run_id: string;
}

/** A success, and all that is told of it. `expires_at` is RFC 3339 UTC. */
export interface Envelope {
  /** Where it is kept, such as `idp:aws:prod`. */
  credential_key: string;
  /** RFC 3339 UTC. */
  expires_at: string;
  /** Role ARN, service-account email or subscription id. */
  source_identity: string;
  /** The run of the ledger that minted it. */
  audit_run_id: string;
}

/** The credential that a handler mints: its metadata, and its own parts as Secrets. */
export type CredentialOf<H> =
  H extends Handler<infer _F, infer P> ? Readonly<CredentialMetadata> & Readonly<Record<P, Secret>> : never;

/** What AWS STS issued: `access_key_id`, `secret_access_key` and `session_token`. */
export type AwsCredential = CredentialOf<(typeof handlers)['aws']> & { readonly provider: 'aws' };
/** What Google issued: `access_token`. */
export type GcpCredential = CredentialOf<(typeof handlers)['gcp']> & { readonly provider: 'gcp' };
/** What Microsoft Entra issued: `access_token`, good for one resource. */
export type AzureCredential = CredentialOf<(typeof handlers)['azure']> & { readonly provider: 'azure' };

/** A credential of the built-in providers; `provider` tells which parts it has. */
export type Credential = {
  [N in keyof typeof handlers]: CredentialOf<(typeof handlers)[N]> & { readonly provider: N };
}[keyof typeof handlers];

/**
 * Keeps a minted credential, replacing what the key held, whole or not at all. It is called once per mint and
 * must settle soon after `signal` aborts; a rejection makes the mint fail as `persist_failed`.
 */
export type PersistHook = (
  key: CredentialKey,
  credential: Credential,
  context: { run_id: string; signal: AbortSignal },
) => Promise<void> | void;

/**
 * A place where credentials are kept. Its methods may be passed on by themselves, as `persist: store.persist`. Where the
 * place fails, `persist` and `ready` reject with `persist_failed`, and the others with `invalid_request` on `store_url`.
 */
export interface CredentialStore {
  /** Absent where the store cannot write: a mint then fails before anything is spawned. */
  readonly persist?: PersistHook;
  /** Rejects with `persist_failed` where `persist` could not keep a credential now; it changes nothing that is kept. */
  readonly ready?: () => Promise<void>;
  /** The credential, expired or not; undefined where there is none. */
  readonly read: (key: CredentialKey) => Promise<Credential | undefined>;
  /** Its metadata, without reading the secret. */
  readonly describe: (key: CredentialKey) => Promise<CredentialMetadata | undefined>;
  /** The metadata of all that are kept, expired or not. */
  readonly list: () => Promise<CredentialMetadata[]>;
  /** Whether there was one to remove. */
  readonly remove: (key: CredentialKey) => Promise<boolean>;
  /** Lets go of what the store holds open. */
  readonly close: () => Promise<void>;
}

const metadataMembers = [
  'provider',
  'credential_key',
  'expires_at',
  'source_identity',
  'audit_run_id',
] as const;

/** The metadata of a credential, by itself. */
export function metadataOf(credential: CredentialMetadata): CredentialMetadata {
  return Object.fromEntries(
    metadataMembers.map((name) => [name, credential[name]]),
  ) as unknown as CredentialMetadata;
}

/** A credential's JSON with its secrets in the clear: what a store encrypts, and nothing else may hold. */
export function serializeCredential(credential: Credential): string {
  const open = Object.entries(credential).map(([name, value]) => [
    name,
    value instanceof Secret ? value.reveal() : value,
  ]);
  return JSON.stringify(Object.fromEntries(open));
}

/**
 * Reads {@link serializeCredential}'s JSON; every member that is not metadata becomes a Secret.
 * @throws Error without a message of the parser's, which would quote the secret.
 */
export function parseCredential(text: string): Credential {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('the stored credential is not JSON');
  }
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  if (!members.every(([, member]) => typeof member === 'string'))
    throw new Error('the stored credential has an unknown form');
  const credential = Object.fromEntries(
    members.map(([name, member]) => [
      name,
      (metadataMembers as readonly string[]).includes(name) ? member : new Secret(member as string),
    ]),
  );
  if (!metadataMembers.every((name) => typeof credential[name] === 'string')) {
    throw new Error('the stored credential lacks its metadata');
  }
  return credential as unknown as Credential;
}
