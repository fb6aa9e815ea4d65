/** What every store on the network does alike: its clock, its retries, and failures that quote nobody. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Credential,
  type CredentialMetadata,
  type CredentialStore,
  parseCredential,
  serializeCredential,
} from '../credential.js';
import { CloudCliError, invalidRequest } from '../errors.js';
import { joined } from '../joined.js';
import { CredentialKey } from '../key.js';
import { Secret } from '../secret.js';
import { type Trouble, wordsFor } from './trouble.js';

/** The clocks of a store on the network. */
export interface RemoteOptions {
  /** Seconds that one call to the service may take; default 10. */
  call_seconds?: number;
  /** Seconds for all calls of one method; default 25, since a mint gives its store 30. */
  total_seconds?: number;
}

/** Options of a store that an SDK finds. */
export interface EndpointOptions extends RemoteOptions {
  /** The service's URL, instead of the vendor's own: an emulator, or a private endpoint. */
  endpoint?: string;
}

/**
 * Makes one call to a service, and makes it again a few times where that may help. `needs` names the permission that
 * it takes. What `work` throws is explained by the service; what is no failure it must catch itself. With `once` it
 * is repeated only where it was certainly not done.
 */
export type Call = <T>(
  needs: string,
  work: (signal: AbortSignal) => Promise<T>,
  repeat?: 'once',
) => Promise<T>;

/** What a store on the network is made of. It keeps `text` and the metadata as one: never one without the other. */
export interface Service {
  /** What failures call it: words that a verb can follow. */
  readonly title: string;
  /** Bytes of the largest text. */
  readonly most_bytes: number;
  readonly write: (
    key: CredentialKey,
    text: string,
    metadata: CredentialMetadata,
    call: Call,
  ) => Promise<void>;
  readonly read: (key: CredentialKey, call: Call) => Promise<string | undefined>;
  readonly describe: (key: CredentialKey, call: Call) => Promise<CredentialMetadata | undefined>;
  /** In any order. */
  readonly list: (call: Call) => Promise<CredentialMetadata[]>;
  readonly remove: (key: CredentialKey, call: Call) => Promise<boolean>;
  /** Fails where nothing could be written; it writes nothing. */
  readonly probe: (call: Call) => Promise<void>;
  readonly explain: (error: unknown) => Trouble;
  readonly close?: (call: Call) => Promise<void>;
}

const tries = 4;

/** Something that the operator can mend: what is wrong, and what to do. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/** The URL of a store is wrong. It is not quoted, since it may hold what does not belong there. */
export function badUrl(message: string, hint: string): CloudCliError {
  return invalidRequest([{ field: 'store_url', message }], hint);
}

/**
 * The store that `service` makes up. `persist` and `ready` fail as `persist_failed`, the others as `invalid_request` on
 * `store_url`; an error tells the service's status and error code, and nothing else that came from it.
 */
export function remoteStore(service: Service, options: RemoteOptions = {}): Required<CredentialStore> {
  const { title } = service;
  const { call_seconds = 10, total_seconds = 25 } = options;

  /** Runs `work` with a clock over all its calls, and tells its failure by `fail`: a new error, never a chained one. */
  async function run<T>(
    fail: (message: string, hint: string) => CloudCliError,
    work: (call: Call) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const clock = AbortSignal.timeout(total_seconds * 1000);
    const all = signal ? joined(clock, signal) : clock;
    try {
      return await work(caller(all, signal));
    } catch (error) {
      if (error instanceof Refusal) throw fail(error.message, error.hint);
      const name = error instanceof Error && /^[A-Z][A-Za-z]{2,30}$/.test(error.name) ? error.name : 'error';
      throw fail(`the store for ${title} has a defect (${name})`, 'Please report it.');
    }
  }

  function caller(all: AbortSignal, given: AbortSignal | undefined): Call {
    return async (needs, work, repeat) => {
      for (let attempt = 1; ; attempt += 1) {
        if (all.aborted) throw given?.aborted ? cancelled() : late();
        const signal = joined(all, AbortSignal.timeout(call_seconds * 1000));
        try {
          // An SDK may look for its login first, and not listen to the signal meanwhile.
          return await Promise.race([work(signal), rejected(signal)]);
        } catch (error) {
          if (error instanceof Refusal) throw error;
          if (given?.aborted) throw cancelled();
          const trouble: Trouble = signal.aborted ? { kind: 'unclear' } : service.explain(error);
          const sure = trouble.kind === 'busy' || trouble.kind === 'unreachable';
          const again = sure || (trouble.kind === 'unclear' && repeat !== 'once');
          if (!again || attempt === tries || all.aborted) {
            if (signal.aborted) throw all.aborted ? late() : silent();
            const { message, hint } = wordsFor(title, trouble, needs);
            throw new Refusal(message, hint);
          }
        }
        await sleep(Math.random() * 100 * 2 ** attempt, undefined, { signal: all }).catch(() => {});
      }
    };
  }

  const slow = (words: string) =>
    new Refusal(
      `${title} ${words} seconds`,
      'Run it again, and look at the state of the service and the network if it persists.',
    );
  const silent = () => slow(`did not answer within ${call_seconds}`);
  const late = () => slow(`was not done within ${total_seconds}`);
  const cancelled = () =>
    new Refusal(
      `the persist was cancelled before ${title} had answered`,
      'It holds the old credential or the new one, whole; run it again.',
    );
  const refuseOther = (key: CredentialKey, { credential_key }: CredentialMetadata, hint: string) => {
    if (credential_key === key.toString()) return;
    throw new Refusal(`what ${title} holds for ${key} is for another key`, hint);
  };

  return {
    async persist(key, credential, { signal }) {
      const secrets = Object.values(credential).filter((value) => value instanceof Secret);
      const scrub = (text: string) => secrets.reduce((scrubbed, secret) => secret.scrub(scrubbed), text);
      const fail = (message: string, hint: string) =>
        new CloudCliError('persist_failed', scrub(message), { hint: scrub(hint) });
      if (signal.aborted) {
        throw fail('the persist was cancelled, and what the store held is unchanged', 'Run it again.');
      }
      const work = (call: Call) => keep(parsed(key), credential, call);
      await run(fail, work, signal);
    },
    ready: () =>
      run(
        (message, hint) => new CloudCliError('persist_failed', message, { hint }),
        (call) => service.probe(call),
      ),
    read: (key) =>
      run(badUrl, async (call) => {
        const text = await service.read(parsed(key), call);
        if (text === undefined) return undefined;
        const credential = opened(text, key);
        refuseOther(key, credential, mintAgain(key));
        return credential;
      }),
    describe: (key) =>
      run(badUrl, async (call) => {
        const metadata = await service.describe(parsed(key), call);
        if (metadata) refuseOther(key, metadata, mintAgain(key));
        return metadata;
      }),
    list: () =>
      run(badUrl, async (call) =>
        (await service.list(call)).toSorted((one, other) =>
          one.credential_key < other.credential_key ? -1 : 1,
        ),
      ),
    remove: (key) => run(badUrl, (call) => service.remove(parsed(key), call)),
    close: async () => {
      // What cannot be closed ends with the process, or by its own clock.
      await run(badUrl, async (call) => service.close?.(call)).catch(() => {});
    },
  };

  async function keep(key: CredentialKey, credential: Credential, call: Call): Promise<void> {
    if (credential.credential_key !== key.toString()) {
      throw new Refusal(
        `the credential is for another key than ${key}`,
        'Pass the key that the credential names.',
      );
    }
    const text = serializeCredential(credential);
    const bytes = Buffer.byteLength(text);
    if (bytes > service.most_bytes) {
      throw new Refusal(
        `${title} holds ${service.most_bytes} bytes at most, and the credential has ${bytes}`,
        'Name a store that takes more in CLOUD_CLI_STORE_URL: docs/stores.md has the limits of each.',
      );
    }
    await service.write(key, text, credential, call);
  }

  function opened(text: string, key: CredentialKey): Credential {
    try {
      return parseCredential(text);
    } catch {
      throw new Refusal(`what ${title} holds for ${key} is no credential of cloud-cli`, mintAgain(key));
    }
  }
}

/** Parsed again: a caller without types may pass anything, and this becomes a name in the service. */
function parsed(key: CredentialKey): CredentialKey {
  return CredentialKey.parse(`${key}`);
}

function mintAgain(key: CredentialKey): string {
  return `Mint it again: cloud-cli mint ... --target-credential-key ${key}, or: cloud-cli credentials remove ${key}`;
}

function rejected(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
  });
}
