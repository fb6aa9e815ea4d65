/** The line of a mint, through the stand-in vendor CLIs, a real ledger and a real store. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type AuditStore,
  type CloudCliError,
  CredentialKey,
  CredentialResolver,
  type MintOptions,
  mint,
  openAuditStore,
  openCredentialStore,
  type PersistHook,
  preview,
} from '../src/index.js';
import type { Ending } from '../src/run.js';
import { newRunId } from '../src/run-id.js';
import {
  clockOf,
  fixturePath,
  isAlive,
  type Provider,
  providers,
  recorded,
  requests,
  temporaryDirectory,
  until,
} from './support.js';

/** A ledger, a store and an environment of their own. */
async function newHost(more: NodeJS.ProcessEnv = {}) {
  const home = temporaryDirectory();
  const record = join(home, 'record');
  const audit = await openAuditStore(`sqlite:${join(home, 'audit.sqlite')}`);
  const store = await openCredentialStore(`file:${join(home, 'credentials')}`);
  const env: NodeJS.ProcessEnv = { PATH: fixturePath, HOME: home, FIXTURE_RECORD: record, ...more };
  const options: MintOptions = {
    audit,
    persist: store.persist,
    stored: store.describe,
    env,
    actor: 'operator',
  };
  return {
    home,
    audit,
    store,
    options,
    mint: (request: object, others: Partial<MintOptions> = {}) => mint(request, { ...options, ...others }),
    /** What was spawned so far. */
    spawned: () => recorded(record),
    resolve: (key: string) => new CredentialResolver([store]).resolve(CredentialKey.parse(key)),
  };
}

async function failureOf(work: Promise<unknown>): Promise<CloudCliError> {
  return work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error) => error,
  );
}

const identity = {
  aws: 'arn:aws:iam::123456789012:role/deploy',
  gcp: 'minter@my-project.iam.gserviceaccount.com',
  azure: expect.stringMatching(/^[0-9a-f-]{36}$/),
};

describe.each(providers)('a mint from %s', (provider: Provider) => {
  it('keeps the credential, answers with its envelope alone, and closes its row', async () => {
    const host = await newHost();
    const request = { ...requests[provider](), reason: 'INC-42' };
    const before = Date.now();
    const envelope = await host.mint(request);
    expect(envelope).toEqual({
      credential_key: `idp:${provider}:prod`,
      expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/),
      source_identity: identity[provider],
      audit_run_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    const lives = (Date.parse(envelope.expires_at) - before) / 1000;
    expect(lives).toBeGreaterThan(3500);
    expect(lives).toBeLessThan(3700);

    const credential = await host.resolve(envelope.credential_key);
    expect(credential).toMatchObject({ provider, ...envelope });
    const row = await host.audit.get(envelope.audit_run_id);
    expect(row).toMatchObject({
      status: 'SUCCEEDED',
      provider,
      actor: 'operator',
      reason: 'INC-42',
      source_identity: envelope.source_identity,
      expires_at: envelope.expires_at,
      outcome: 'issued',
      live_until: envelope.expires_at,
      error: null,
      lease: null,
      timeout_seconds: 60,
    });
    const parts = Object.entries(credential).filter(([name]) =>
      Object.keys(row!.fingerprints).includes(name),
    );
    expect(
      Object.fromEntries(
        parts.map(([name, part]) => [name, (part as unknown as { fingerprint(): string }).fingerprint()]),
      ),
    ).toEqual(row!.fingerprints);
    expect(parts.length).toBe(provider === 'aws' ? 3 : 1);
    expect(await host.audit.verify()).toMatchObject({ ok: true, events: 3 });
  });

  it('spawns exactly what its preview showed, which itself spawned and recorded nothing', async () => {
    const host = await newHost();
    const shown = await preview(requests[provider](), { env: host.options.env! });
    expect(shown).toMatchObject({
      provider,
      binary_present: true,
      binary_path: expect.stringContaining('/fixtures/bin/'),
    });
    expect([host.spawned(), await host.audit.list()]).toEqual([[], []]);
    await host.mint({ ...requests[provider](), run_id: shown.run_id });
    const [spawned] = host.spawned();
    expect(spawned?.argv).toEqual(shown.argv);
    expect(spawned?.env.CLOUD_CLI_RUN_ID).toBe(shown.run_id);
    expect((await host.audit.get(shown.run_id))?.argv).toEqual(shown.argv);
  });

  it('has its PENDING row before the vendor process starts', async () => {
    const host = await newHost();
    const statuses: (string | undefined)[] = [];
    const run_id = newRunId();
    const spawner: MintOptions['spawner'] = {
      run: async (command) => {
        statuses.push((await host.audit.get(run_id))?.status);
        const { inProcess } = await import('../src/run.js');
        return inProcess.run(command);
      },
    };
    await host.mint({ ...requests[provider](), run_id }, { spawner: spawner! });
    expect(statuses).toEqual(['PENDING']);
  });

  it.each<[string, string, string]>([
    ['denied', 'nonzero_exit', 'not_issued'],
    ['not-logged-in', 'nonzero_exit', 'not_issued'],
    ['expired-login', 'nonzero_exit', 'not_issued'],
    ['throttled', 'nonzero_exit', 'not_issued'],
    ['not-found', 'nonzero_exit', 'not_issued'],
    ['unreachable', 'nonzero_exit', 'not_issued'],
    ['signal', 'nonzero_exit', 'unknown'],
    ['leaky', 'nonzero_exit', 'unknown'],
    ['garbage', 'parse_error', 'unknown'],
    ['junk-before', 'parse_error', 'unknown'],
    ['empty', 'parse_error', 'unknown'],
    ['truncated', 'parse_error', 'unknown'],
    ['no-token', 'parse_error', 'unknown'],
    ['wrong-identity', 'parse_error', 'issued'],
  ])('answered by %s fails as %s, %s, and its row says so', async (word, code, outcome) => {
    const host = await newHost();
    const request = {
      ...requests[provider](word),
      ...(provider === 'azure' && word === 'wrong-identity'
        ? { subscription: '12345678-1234-1234-1234-123456789012' }
        : {}),
    };
    const error = await failureOf(host.mint(request));
    expect([error.code, error.outcome, error.message.length <= 2000, error.hint.length > 20]).toEqual([
      code,
      outcome,
      true,
      true,
    ]);
    const row = await host.audit.get(error.audit_run_id!);
    expect(row).toMatchObject({
      status: 'FAILED',
      outcome,
      live_until: error.live_until ?? null,
      error: { code, message: error.message },
    });
    expect(error.live_until === undefined).toBe(outcome === 'not_issued');
    await expect(host.resolve(`idp:${provider}:prod`)).rejects.toMatchObject({ code: 'not_found' });
  });

  it.each(['hanging', 'stubborn', 'grandchild'])(
    'that is %s times out, and its process group is gone',
    async (word) => {
      const host = await newHost();
      const clock = clockOf(59);
      const minting = failureOf(host.mint({ ...requests[provider](word), timeout_seconds: 59 }));
      const { pid, grandchild } = await until(() => host.spawned()[0]);
      await clock.runOut();
      const error = await minting;
      expect(error).toMatchObject({ code: 'timeout', outcome: 'unknown', details: { timeout_seconds: 59 } });
      expect(Date.parse(error.live_until!)).toBeGreaterThan(Date.now() + 3000_000);
      for (const id of [pid, grandchild].filter((id) => id !== undefined)) expect(isAlive(id)).toBe(false);
    },
  );

  it('is not held up by a grandchild that keeps the pipes of a vendor process which has answered', async () => {
    const host = await newHost();
    expect(await host.mint(requests[provider]('orphan-pipe'))).toMatchObject({
      credential_key: `idp:${provider}:prod`,
    });
  });

  it.each(['endless', 'endless-stderr'])('that is %s is stopped', async (word) => {
    const host = await newHost();
    expect(await failureOf(host.mint(requests[provider](word)))).toMatchObject({
      code: 'nonzero_exit',
      message: expect.stringContaining('1 MiB'),
    });
  });

  it('takes an answer behind many warnings', async () => {
    const host = await newHost();
    await host.mint(requests[provider]('chatty'));
  });

  it('ends its vendor process when it is cancelled, and records that', async () => {
    const host = await newHost();
    const abort = new AbortController();
    const work = failureOf(host.mint(requests[provider]('hanging'), { signal: abort.signal }));
    await until(() => host.spawned().length === 1);
    abort.abort();
    const error = await work;
    expect(error).toMatchObject({ code: 'cancelled', outcome: 'unknown' });
    expect(await host.audit.get(error.audit_run_id!)).toMatchObject({
      status: 'FAILED',
      error: { code: 'cancelled' },
    });
    expect(existsSync(`/proc/${host.spawned()[0]!.pid}/exe`)).toBe(false);
  });

  it('without its binary fails as binary_missing, with a row, and a preview says so', async () => {
    const host = await newHost({ PATH: '/usr/lib:/nonexistent' });
    expect(await preview(requests[provider](), { env: host.options.env! })).toMatchObject({
      binary_present: false,
      binary_path: null,
      problem: { code: 'binary_missing', message: expect.any(String), hint: expect.any(String) },
    });
    const error = await failureOf(host.mint(requests[provider]()));
    expect(error).toMatchObject({
      code: 'binary_missing',
      outcome: 'not_issued',
      hint: expect.stringContaining('which '),
    });
    expect(await host.audit.get(error.audit_run_id!)).toMatchObject({ status: 'FAILED', binary_path: null });
  });

  it('with the same run id again gives the recorded envelope and spawns nothing', async () => {
    const host = await newHost();
    const request = { ...requests[provider](), run_id: newRunId() };
    const envelope = await host.mint(request);
    expect(await host.mint({ ...request, timeout_seconds: 5, reason: 'again' })).toEqual(envelope);
    expect(host.spawned()).toHaveLength(1);
  });
});

describe('a mint', () => {
  it('of AWS refuses another session, a past expiry and one that is none', async () => {
    const host = await newHost();
    expect(await failureOf(host.mint(requests.aws('wrong-session')))).toMatchObject({
      code: 'parse_error',
      details: { part: 'identity' },
      outcome: 'issued',
    });
    expect(await failureOf(host.mint(requests.aws('past-expiry')))).toMatchObject({
      code: 'parse_error',
      details: { part: 'expiry' },
    });
    expect(await failureOf(host.mint(requests.aws('garbage-expiry')))).toMatchObject({
      code: 'parse_error',
      details: { part: 'expiry' },
    });
  });

  it('of Azure reads old and new answers alike, and refuses a past expiry and one that is none', async () => {
    for (const word of ['old-az', 'vault']) {
      const { expires_at } = await (await newHost()).mint(requests.azure(word));
      expect(Math.abs(Date.parse(expires_at) - Date.now() - 3600_000)).toBeLessThan(100_000);
    }
    const host = await newHost();
    expect(await failureOf(host.mint(requests.azure('past-expiry')))).toMatchObject({
      code: 'parse_error',
      details: { part: 'expiry' },
    });
    expect(await failureOf(host.mint(requests.azure('garbage-expiry')))).toMatchObject({
      code: 'parse_error',
      details: { part: 'expiry' },
    });
  });

  it('refuses an expiry on a day that the calendar does not have, or that RFC 3339 cannot write', async () => {
    const host = await newHost();
    const subscription = '11111111-1111-1111-1111-111111111111';
    const az = { accessToken: 'opaque', tokenType: 'Bearer', subscription, tenant: subscription };
    const aws = {
      AssumedRoleUser: { Arn: 'arn:aws:sts::123456789012:assumed-role/deploy/cli' },
      Credentials: { AccessKeyId: 'A'.repeat(20), SecretAccessKey: 's', SessionToken: 't' },
    };
    const ofAws = (Expiration: string) => ({ ...aws, Credentials: { ...aws.Credentials, Expiration } });
    for (const [request, answer] of [
      [{ ...requests.aws(), role_session_name: 'cli' }, ofAws('2097-02-30T00:00:00Z')],
      [{ ...requests.aws(), role_session_name: 'cli' }, ofAws('2097-01-01T23:59:60Z')],
      [requests.azure(), { ...az, expiresOn: '2097-02-30 00:00:00.000000' }],
      [requests.azure(), { ...az, expires_on: Date.now() }],
      [requests.azure(), { ...az, expires_on: 1e18 }],
    ] as const) {
      const ending = {
        how: 'exited',
        exit_code: 0,
        signal: null,
        stdout: JSON.stringify(answer),
        stderr: '',
      };
      const spawner = { run: async () => ending as Ending };
      const failure = await failureOf(host.mint(request, { spawner }));
      expect(failure).toMatchObject({ code: 'parse_error', details: { part: 'expiry' }, outcome: 'issued' });
      expect(failure.message).not.toContain('expired already');
    }
  });

  it('of Azure by tenant is known by that tenant', async () => {
    const host = await newHost();
    const tenant = '11111111-1111-1111-1111-111111111111';
    expect(await host.mint({ ...requests.azure(), tenant })).toMatchObject({ source_identity: tenant });
  });

  it('names the session after the run, and gcloud gets the run as its reason', async () => {
    const host = await newHost();
    const { audit_run_id } = await host.mint(requests.aws());
    expect(host.spawned()[0]?.argv).toContain(`--role-session-name=cloud-cli-${audit_run_id}`);
    expect(await host.audit.get(audit_run_id)).toMatchObject({
      session_name: `cloud-cli-${audit_run_id}`,
      access_key_id: expect.stringMatching(/^ASIA/),
    });
    const other = await host.mint(requests.gcp());
    expect(host.spawned()[1]?.env.CLOUDSDK_CORE_REQUEST_REASON).toBe(other.audit_run_id);
  });

  it('without a persist hook is recorded, and spawns nothing', async () => {
    const host = await newHost();
    const error = await failureOf(host.mint(requests.aws(), { persist: undefined }));
    expect(error).toMatchObject({
      code: 'persist_failed',
      outcome: 'not_issued',
      audit_run_id: expect.any(String),
    });
    expect(await host.audit.get(error.audit_run_id!)).toMatchObject({
      status: 'FAILED',
      error: { code: 'persist_failed' },
    });
    expect(host.spawned()).toEqual([]);
  });

  it('for a store that is not ready is recorded, and spawns nothing', async () => {
    const host = await newHost();
    const store = await openCredentialStore('file:/proc/credentials');
    const error = await failureOf(host.mint(requests.aws(), { persist: store.persist, ready: store.ready }));
    expect(error).toMatchObject({
      code: 'persist_failed',
      outcome: 'not_issued',
      message: expect.stringContaining('/proc/credentials'),
    });
    expect(await host.audit.get(error.audit_run_id!)).toMatchObject({
      status: 'FAILED',
      outcome: 'not_issued',
    });
    expect(host.spawned()).toEqual([]);
  });

  it('for a store that does not answer whether it is ready ends all the same, and spawns nothing', async () => {
    const host = await newHost();
    const error = await failureOf(host.mint(requests.aws(), { ready: () => new Promise(() => {}) }));
    expect(error).toMatchObject({
      code: 'persist_failed',
      outcome: 'not_issued',
      message: expect.stringContaining('within 10 seconds'),
    });
    expect(host.spawned()).toEqual([]);
  });

  it.each([undefined, null, 42, 'why'])(
    'whose persist hook rejects with %s fails as one whose hook threw',
    async (what) => {
      const host = await newHost();
      const error = await failureOf(host.mint(requests.aws(), { persist: () => Promise.reject(what) }));
      expect(error).toMatchObject({
        code: 'persist_failed',
        message: 'the persist hook threw',
        outcome: 'issued',
      });
    },
  );

  it('whose persist hook throws says what lives on in the cloud, and nothing of what the hook said', async () => {
    const host = await newHost();
    const persist: PersistHook = (_, credential) => {
      const leak = credential.provider === 'aws' ? credential.session_token.reveal() : '';
      throw Object.assign(new Error(`cannot write ${leak}`, { cause: leak }), { code: 'ENOSPC' });
    };
    const error = await failureOf(host.mint(requests.aws(), { persist }));
    expect(error).toMatchObject({
      code: 'persist_failed',
      message: 'the persist hook threw (Error ENOSPC)',
      outcome: 'issued',
    });
    expect(Date.parse(error.live_until!)).toBeGreaterThan(Date.now() + 3500_000);
    expect(error.cause).toBeUndefined();
    expect(await host.audit.get(error.audit_run_id!)).toMatchObject({
      status: 'FAILED',
      outcome: 'issued',
      live_until: error.live_until,
      access_key_id: expect.any(String),
    });
  });

  it('cancelled while its hook persists leaves the hook its moment, and what it keeps counts', async () => {
    const host = await newHost();
    const abort = new AbortController();
    const slow: PersistHook = async (key, credential, context) => {
      abort.abort();
      await new Promise((resolve) => setTimeout(resolve, 100));
      await host.store.persist!(key, credential, { ...context, signal: new AbortController().signal });
    };
    await host.mint(requests.aws(), { persist: slow, signal: abort.signal });
    const stuck = new AbortController();
    const never: PersistHook = () => {
      stuck.abort();
      return new Promise(() => {});
    };
    const error = await failureOf(host.mint(requests.aws(), { persist: never, signal: stuck.signal }));
    expect(error).toMatchObject({ code: 'cancelled', outcome: 'issued' });
  });

  it('refuses an actor that could pose as something else, and a lifetime that is no number', async () => {
    const host = await newHost();
    for (const actor of ['', 'evil\nrow', 'e\u001b[31mvil', '\u202eevil', 'x'.repeat(257), 5]) {
      const error = await failureOf(host.mint(requests.aws(), { actor: actor as string }));
      expect(error).toMatchObject({ code: 'invalid_request', details: { issues: [{ field: 'actor' }] } });
    }
    for (const min_remaining_seconds of [Number.NaN, -60, '15m' as never]) {
      expect(await failureOf(host.mint(requests.aws(), { min_remaining_seconds }))).toMatchObject({
        code: 'invalid_request',
      });
    }
    expect([await host.audit.list(), host.spawned()]).toEqual([[], []]);
  });

  it('with something else than a persist hook spawns nothing', async () => {
    const host = await newHost();
    const error = await failureOf(host.mint(requests.aws(), { persist: host.store as never }));
    expect(error).toMatchObject({ code: 'persist_failed', outcome: 'not_issued' });
    expect(host.spawned()).toEqual([]);
  });

  it('without a ledger, or with one that refuses, spawns nothing', async () => {
    const host = await newHost();
    const refusing = {
      ...host.audit,
      append: async () => Promise.reject(new Error('disk full')),
    } as unknown as AuditStore;
    for (const audit of [undefined, refusing]) {
      expect(
        await failureOf(mint(requests.aws(), { ...host.options, audit: audit as AuditStore })),
      ).toMatchObject({ code: 'audit_unavailable', outcome: 'not_issued' });
    }
    expect(host.spawned()).toEqual([]);
  });

  it('whose last event the ledger refuses says that the credential is live', async () => {
    const host = await newHost();
    const audit: AuditStore = Object.create(host.audit, {
      append: {
        value: async (event: { kind: string }) =>
          event.kind === 'SUCCEEDED' ? Promise.reject(new Error('gone')) : host.audit.append(event as never),
      },
      get: { value: (id: string) => host.audit.get(id) },
    });
    const error = await failureOf(host.mint(requests.aws(), { audit }));
    expect(error).toMatchObject({
      code: 'audit_unavailable',
      outcome: 'issued',
      audit_run_id: expect.any(String),
    });
  });

  it('of a bad request leaves no row', async () => {
    const host = await newHost();
    expect(await failureOf(host.mint({ ...requests.aws(), role_arn: 'x' }))).toMatchObject({
      code: 'invalid_request',
    });
    expect(await failureOf(host.mint(requests.aws(), { policy: [{ actors: ['nobody'] }] }))).toMatchObject({
      code: 'policy_denied',
    });
    expect(await failureOf(host.mint(requests.aws(), { signal: AbortSignal.abort() }))).toMatchObject({
      code: 'cancelled',
      outcome: 'not_issued',
    });
    expect([await host.audit.list(), host.spawned()]).toEqual([[], []]);
  });

  it('of a run id that is spent, or of another request or actor, is a conflict', async () => {
    const host = await newHost();
    const run_id = newRunId();
    await failureOf(host.mint({ ...requests.aws('denied'), run_id }));
    expect(await failureOf(host.mint({ ...requests.aws('denied'), run_id }))).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('spent'),
    });
    const done = await host.mint({ ...requests.aws(), run_id: newRunId() });
    const again = { ...requests.aws(), run_id: done.audit_run_id };
    expect(await failureOf(host.mint({ ...again, duration_seconds: 900 }))).toMatchObject({
      code: 'conflict',
    });
    expect(await failureOf(host.mint(again, { actor: 'somebody else' }))).toMatchObject({ code: 'conflict' });
    expect(host.spawned()).toHaveLength(2);
  });

  it('of a key that is being minted is a conflict, in another process too', async () => {
    const host = await newHost();
    const stop = new AbortController();
    const first = failureOf(host.mint(requests.aws('hanging'), { signal: stop.signal }));
    await until(() => host.spawned().length === 1);
    const other = await openAuditStore(`sqlite:${join(host.home, 'audit.sqlite')}`);
    expect(await failureOf(host.mint(requests.aws(), { audit: other }))).toMatchObject({
      code: 'conflict',
      outcome: 'not_issued',
    });
    await host.mint({ ...requests.aws(), target_credential_key: 'idp:aws:other' }, { audit: other });
    stop.abort();
    await first;
    expect(host.spawned()).toHaveLength(2);
    expect(await host.audit.list({ key: 'idp:aws:prod' })).toHaveLength(1);
  });

  it('with min_remaining_seconds mints only when the stored credential is another or runs out', async () => {
    const host = await newHost();
    const fresh = (more: object, seconds: number) =>
      host.mint({ ...requests.aws(), ...more }, { min_remaining_seconds: seconds });
    const first = await fresh({}, 900);
    expect(await fresh({}, 900)).toEqual(first);
    expect(await fresh({ reason: 'another' }, 0)).toEqual(first);
    const second = await fresh({}, 3700);
    expect(second).not.toEqual(first);
    const third = await fresh({ duration_seconds: 900 }, 60);
    expect(third.audit_run_id).not.toBe(second.audit_run_id);
    expect(await fresh({ duration_seconds: 900 }, 60)).toEqual(third);
    await host.store.remove(CredentialKey.parse('idp:aws:prod'));
    expect((await fresh({ duration_seconds: 900 }, 60)).audit_run_id).not.toBe(third.audit_run_id);
    expect(host.spawned()).toHaveLength(4);
  });

  it('takes a provider of the embedder’s', async () => {
    const { defineHandler, required, Secret, isToken, jsonObject, offShape } = await import(
      '../src/index.js'
    );
    const z = await import('zod');
    const host = await newHost();
    const tool = join(host.home, 'vend');
    writeFileSync(tool, '#!/bin/sh\nprintf \'{"token":"%s-token"}\' "$2"\n', { mode: 0o755 });
    const vend = defineHandler({
      name: 'vend',
      title: 'Vend: a token',
      binary: 'vend',
      fields: { account: required(z.string().regex(/^[a-z]+$/), { label: 'Account', help: 'Whose token.' }) },
      parts: ['token'],
      exclusive: [],
      identity: ['account'],
      lifetime: 60,
      environment: {},
      use: { variables: { VEND_TOKEN: 'token' }, cleared: [] },
      hints: { binary_missing: 'Install vend.', nonzero_exit: 'Log in to vend.' },
      argv: ({ account }) => ['token', account],
      parse: ({ stdout, started_at }, { account }) => {
        const { token } = jsonObject(stdout, 'vend');
        if (!isToken(token)) throw offShape('vend answered without a token');
        return {
          parts: { token: new Secret(token) },
          expires_at: new Date(started_at.getTime() + 60_000),
          source_identity: account,
        };
      },
      explain: () => undefined,
    });
    const request = { provider: 'vend', target_credential_key: 'idp:vend:prod', account: 'alice' };
    const env = { ...host.options.env, PATH: `${host.home}:/bin` };
    expect(await host.mint(request, { handlers: { vend }, env })).toMatchObject({ source_identity: 'alice' });
    expect(await host.resolve('idp:vend:prod')).toMatchObject({ provider: 'vend', source_identity: 'alice' });
    expect(await failureOf(host.mint(request))).toMatchObject({ code: 'invalid_request' });
  });
});
