/** What every store on the network promises beyond the contract, whatever the service does: one suite for all of them. */
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Credential, CredentialStore } from '../../src/credential.js';
import { mint, openAuditStore } from '../../src/index.js';
import { CredentialKey } from '../../src/key.js';
import { fixturePath, requests, temporaryDirectory, until } from '../support.js';
import { awsCredential, gcpCredential, opened, persist, secretsOf } from './contract.js';
import { type Asked, type Service, services } from './services.js';

export interface Trait {
  /** A permission that a hint names when a write is denied. */
  permission: RegExp;
  /** The words of {@link Service.be} by which a write fails, with what the message tells. */
  failing: Record<string, RegExp>;
  /** More bytes than the service takes. */
  too_large: number;
}

const key = CredentialKey.parse('idp:aws:prod');
const impatient = { call_seconds: 0.3, total_seconds: 1 };

/** `name` is the scheme of the store's URL. */
export function remoteSuite(name: string, trait: Trait): void {
  const { start, isWrite } = services[name]!;
  describe(`a failing service: ${name}`, () => {
    let service: Service;
    let store: Required<CredentialStore>;
    const old = awsCredential(`${key}`);

    beforeEach(async () => {
      service = await start();
      store = await service.open();
      await persist(store, old);
    });

    afterEach(async () => {
      service.be('well');
      await store.close();
      await service.close();
    });

    /** The failure of `work` as its surface gives it, without a secret of anybody in any form of it. */
    async function failure(work: Promise<unknown>, ...credentials: Credential[]) {
      const error = await work.then(
        () => expect.fail('it did not fail'),
        (error) => error,
      );
      expect(error).toMatchObject({ name: 'CloudCliError' });
      expect(error).not.toHaveProperty('cause');
      expect(error.hint).not.toBe('');
      const text = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error) + error.stack;
      for (const secret of [...credentials.flatMap(secretsOf), ...secretsOf(old), ...service.hidden])
        expect(text.includes(secret)).toBe(false);
      return error.toJSON();
    }

    async function expectOld() {
      service.be('well');
      expect(opened(await store.read(key))).toEqual(opened(old));
      expect(await store.list()).toHaveLength(1);
      expect((await store.describe(key))?.audit_run_id).toBe(old.audit_run_id);
    }

    for (const [word, message] of Object.entries(trait.failing)) {
      it(`keeps the old credential where the service is ${word}, and tells no more than its code`, async () => {
        for (const only of [() => true, isWrite]) {
          service.be(word, { only });
          const credential = gcpCredential(`${key}`);
          const failed = await failure(persist(store, credential), credential);
          expect(failed).toMatchObject({ code: 'persist_failed', message: expect.stringMatching(message) });
          if (word === 'denied' && only === isWrite) expect(failed.hint).toMatch(trait.permission);
          await expectOld();
        }
      });
    }

    for (const word of ['cut', 'garbage', 'broken']) {
      it(`keeps the old credential, or the new one whole, where the answer is ${word}`, async () => {
        service.be(word, { only: isWrite });
        const credential = gcpCredential(`${key}`);
        expect(await failure(persist(store, credential), credential)).toMatchObject({
          code: 'persist_failed',
          message: expect.stringMatching(/gave no whole answer/),
        });
        await expectOld();
      });
    }

    for (const word of ['throttled', 'broken', 'cut', 'lost', 'garbage', 'hanging']) {
      it(`tries again where the service is ${word} for a moment, and keeps the new credential once`, async () => {
        // A request that hangs is given up soon; the rest may take its time on a busy machine.
        const patient = await service.open(word === 'hanging' ? { call_seconds: 4 } : {});
        service.be(word, { times: word === 'hanging' ? 1 : 2, only: isWrite });
        const credential = gcpCredential(`${key}`);
        await persist(patient, credential);
        expect(opened(await store.read(key))).toEqual(opened(credential));
        expect((await store.describe(key))?.audit_run_id).toBe(credential.audit_run_id);
        expect(await store.list()).toHaveLength(1);
        await patient.close();
      });
    }

    it('gives up on a hanging service by its clock', async () => {
      const hasty = await service.open(impatient);
      service.be('hanging', { only: isWrite });
      const credential = gcpCredential(`${key}`);
      const started = Date.now();
      expect(await failure(persist(hasty, credential), credential)).toMatchObject({
        code: 'persist_failed',
        message: expect.stringMatching(/did not answer within 0\.3 seconds|was not done within 1 seconds/),
      });
      // By default it would be given up after 25 seconds.
      expect(Date.now() - started).toBeLessThan(20_000);
      service.be('hanging');
      expect(await failure(hasty.read(key))).toMatchObject({ code: 'invalid_request' });
      await expectOld();
      await hasty.close();
    });

    it('ends with its signal in the middle of a write', async () => {
      service.be('hanging', { only: isWrite });
      const stop = new AbortController();
      const credential = gcpCredential(`${key}`);
      const writes = () => service.calls.filter(isWrite).length;
      const before = writes();
      const failing = failure(persist(store, credential, stop.signal), credential);
      await until(() => writes() > before);
      const aborted = Date.now();
      stop.abort();
      expect(await failing).toMatchObject({
        code: 'persist_failed',
        message: expect.stringMatching(/cancelled/),
      });
      // Its own clock would have ended the call after ten seconds.
      expect(Date.now() - aborted).toBeLessThan(9000);
      await expectOld();
    });

    it('asks nothing with a signal that has aborted', async () => {
      const before = service.calls.length;
      await failure(persist(store, gcpCredential(`${key}`), AbortSignal.abort()));
      expect(service.calls).toHaveLength(before);
    });

    it('refuses what the service would not take before it asks', async () => {
      const before = service.calls.length;
      const credential = { ...gcpCredential(`${key}`), note: 'x'.repeat(trait.too_large) };
      const failed = await failure(persist(store, credential), credential);
      expect(failed).toMatchObject({
        code: 'persist_failed',
        message: expect.stringMatching(/bytes at most/),
      });
      expect(service.calls).toHaveLength(before);
      await expectOld();
    });

    it('refuses metadata that it could not give back', async () => {
      const credential = { ...gcpCredential(`${key}`), audit_run_id: 'x'.repeat(3000) };
      if (
        await persist(store, credential).then(
          () => true,
          () => false,
        )
      )
        expect((await store.describe(key))?.audit_run_id).toBe(credential.audit_run_id);
      else await expectOld();
    });

    it('keeps the longest role ARN that a request may have', async () => {
      const source_identity = `arn:aws:iam::123456789012:role/${'"'.repeat(510)}/${'r'.repeat(64)}`;
      const credential = { ...awsCredential(`${key}`), source_identity };
      await persist(store, credential);
      expect((await store.describe(key))?.source_identity).toBe(source_identity);
      expect(opened(await store.read(key))).toEqual(opened(credential));
    });

    for (const word of ['denied', 'login', 'broken', 'garbage']) {
      it(`tells of a read, a list and a removal where the service is ${word}`, async () => {
        service.be(word);
        const works = [
          () => store.read(key),
          () => store.describe(key),
          () => store.list(),
          () => store.remove(key),
        ];
        // Where it is tried again, one of them is enough to wait for.
        for (const work of /denied|login/.test(word) ? works : works.slice(0, 1))
          expect(await failure(work())).toMatchObject({
            code: 'invalid_request',
            issues: [{ field: 'store_url' }],
          });
        await expectOld();
      });
    }

    it('tells that it removed a credential, though the answer to it was lost', async () => {
      const isRemoval = ({ method, headers }: Asked) =>
        method === 'DELETE' || /\.Delete/.test(String(headers['x-amz-target']));
      service.be('lost', { times: 1, only: isRemoval });
      expect(await store.remove(key)).toBe(true);
      service.be('well');
      expect(await store.remove(key)).toBe(false);
      expect(await store.list()).toEqual([]);
    });

    it('is ready when the service is, and says so without a change', async () => {
      await store.ready();
      await expectOld();
      for (const word of ['denied', 'login', 'garbage']) {
        service.be(word);
        expect(await failure(store.ready())).toMatchObject({ code: 'persist_failed' });
      }
      const hasty = await service.open(impatient);
      service.be('hanging');
      expect(await failure(hasty.ready())).toMatchObject({ code: 'persist_failed' });
      await service.close();
      expect(await failure(store.ready())).toMatchObject({
        code: 'persist_failed',
        message: expect.stringMatching(/cannot be reached|gave no whole answer/),
      });
      await hasty.close();
    });

    it('leaves a row that says what the cloud has, where a mint cannot keep its token', async () => {
      const directory = temporaryDirectory();
      const audit = await openAuditStore(`sqlite:${directory}/audit.sqlite`);
      service.be('broken', { only: isWrite });
      const canary = 'Canary7Qz5';
      const env = { PATH: fixturePath, HOME: directory, FIXTURE_CANARY: canary };
      const options = { audit, persist: store.persist, ready: store.ready, env };
      const failed = await failure(mint(requests.aws(), options));
      expect(failed).toMatchObject({ code: 'persist_failed', outcome: 'issued' });
      expect(Date.parse(failed.live_until)).toBeGreaterThan(Date.now());
      const [row] = await audit.list();
      expect(row).toMatchObject({ status: 'FAILED', outcome: 'issued', live_until: failed.live_until });
      expect(JSON.stringify([row, failed])).not.toContain(canary);
      // It would have been there: the service was sent it.
      expect(service.calls.filter(isWrite).some(({ body }) => sentTo(body).includes(canary))).toBe(true);
      service.be('denied');
      const early = await failure(mint(requests.aws(), options));
      expect(early).toMatchObject({ code: 'persist_failed', outcome: 'not_issued' });
      await audit.close();
      await expectOld();
    });
  });
}

/** What a request holds, base64 included, as Google's payloads are. */
function sentTo(body: string): string {
  const runs = body.match(/[A-Za-z0-9+/=]{40,}/g) ?? [];
  return body + runs.map((run) => Buffer.from(run, 'base64').toString('latin1')).join();
}
