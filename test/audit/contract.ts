/** What every ledger must hold: run on each storage engine. */
import { describe, expect, it } from 'vitest';
import { releaseLease, takeLease } from '../../src/audit/lease.js';
import {
  type AuditStore,
  type FailedEvent,
  type IssuedEvent,
  type PendingEvent,
  type SucceededEvent,
  verifyChain,
} from '../../src/audit/ledger.js';
import { CloudCliError } from '../../src/errors.js';
import { newRunId } from '../../src/run-id.js';

/** Assembled, since hosting services look for access key ids. */
const someKeyId = ['ASIA', 'FAKEFAKEFAKEFAKE'].join('');
const tracedKeyId = ['ASIA', 'TRACEDTRACEDTRAC'].join('');

/** A PENDING event of this process, with what a test wants otherwise. */
export function pendingEvent(more: Partial<PendingEvent> = {}): Omit<PendingEvent, 'at'> {
  const run_id = more.run_id ?? newRunId();
  return {
    kind: 'PENDING',
    run_id,
    action: 'mint_cloud_credential',
    provider: 'aws',
    credential_key: `idp:aws:${run_id}`,
    source_identity: 'arn:aws:iam::123456789012:role/deploy',
    session_name: `cloud-cli-${run_id}`,
    actor: 'operator',
    host: 'control-plane',
    reason: null,
    argv: ['aws', 'sts', 'assume-role'],
    binary_path: '/usr/bin/aws',
    binary_provenance: { real_path: '/usr/bin/aws', owner: 0, mode: '0755', sha256: 'b'.repeat(64) },
    timeout_seconds: 60,
    exposure_seconds: 3600,
    request_digest: 'd'.repeat(64),
    traceparent: null,
    lease: takeLease(run_id, new Date(Date.now() + 90_000)),
    ...more,
  };
}

export function issuedEvent(run_id: string): Omit<IssuedEvent, 'at'> {
  return {
    kind: 'ISSUED',
    run_id,
    source_identity: 'arn:aws:iam::123456789012:role/deploy',
    expires_at: '2100-01-01T00:00:00.000Z',
    access_key_id: someKeyId,
    fingerprints: { session_token: `sha256:${'f'.repeat(64)}` },
  };
}

export const succeededEvent = (run_id: string): Omit<SucceededEvent, 'at'> => ({
  kind: 'SUCCEEDED',
  run_id,
  duration_ms: 12,
});

export const failedEvent = (run_id: string): Omit<FailedEvent, 'at'> => ({
  kind: 'FAILED',
  run_id,
  duration_ms: 12,
  outcome: 'not_issued',
  live_until: null,
  error: { code: 'nonzero_exit', message: 'aws exited with status 254' },
});

/** Records a whole run, and gives its id. */
export async function recordRun(ledger: AuditStore, more: Partial<PendingEvent> = {}): Promise<string> {
  const pending = pendingEvent(more);
  await ledger.append(pending);
  await ledger.append(issuedEvent(pending.run_id));
  await ledger.append(succeededEvent(pending.run_id));
  return pending.run_id;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error instanceof CloudCliError ? error.code : String(error)),
  );
}

export function ledgerContract(name: string, open: () => Promise<AuditStore>): void {
  describe(`the ledger on ${name}`, () => {
    it('shows a run through its life, one row all along', async () => {
      const ledger = await open();
      const pending = pendingEvent({ reason: 'INC-42' });
      await ledger.append(pending);
      expect(await ledger.get(pending.run_id)).toMatchObject({
        status: 'PENDING',
        reason: 'INC-42',
        expires_at: null,
        outcome: null,
        error: null,
        finished_at: null,
        lease: { pid: process.pid },
      });
      await ledger.append(issuedEvent(pending.run_id));
      expect(await ledger.get(pending.run_id)).toMatchObject({
        status: 'PENDING',
        expires_at: '2100-01-01T00:00:00.000Z',
        access_key_id: someKeyId,
      });
      await ledger.append(succeededEvent(pending.run_id));
      expect(await ledger.get(pending.run_id)).toMatchObject({
        status: 'SUCCEEDED',
        outcome: 'issued',
        live_until: '2100-01-01T00:00:00.000Z',
        duration_ms: 12,
        error: null,
        lease: null,
      });
      expect(await ledger.list()).toHaveLength(1);
      await ledger.close();
    });

    it('tells its head, from an empty chain on, and that it can be written', async () => {
      const ledger = await open();
      expect(await ledger.head()).toEqual({ seq: 0, hash: '0'.repeat(64) });
      await ledger.ready();
      await recordRun(ledger);
      const verified = await ledger.verify();
      expect(verified).toMatchObject({ ok: true, head: await ledger.head() });
      await ledger.close();
      expect(await codeOf(ledger.ready())).toBe('audit_unavailable');
    });

    it('keeps the trace of the call that asked', async () => {
      const ledger = await open();
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      const run_id = await recordRun(ledger, { traceparent });
      expect(await ledger.get(run_id)).toMatchObject({ traceparent });
      await ledger.close();
    });

    it('keeps why a run failed and what the cloud holds', async () => {
      const ledger = await open();
      const pending = pendingEvent();
      await ledger.append(pending);
      await ledger.append(failedEvent(pending.run_id));
      expect(await ledger.get(pending.run_id)).toMatchObject({
        status: 'FAILED',
        outcome: 'not_issued',
        live_until: null,
        error: { code: 'nonzero_exit', message: 'aws exited with status 254' },
      });
      await ledger.close();
    });

    it('gives a run one beginning, one issue and one end', async () => {
      const ledger = await open();
      const run_id = await recordRun(ledger);
      expect(await codeOf(ledger.append(pendingEvent({ run_id })))).toBe('conflict');
      expect(await codeOf(ledger.append(failedEvent(run_id)))).toBe('conflict');
      expect(await codeOf(ledger.append(succeededEvent(run_id)))).toBe('conflict');
      expect(await codeOf(ledger.append(issuedEvent(run_id)))).toBe('conflict');
      expect(await ledger.get(run_id)).toMatchObject({ status: 'SUCCEEDED' });
      expect(await ledger.verify()).toMatchObject({ ok: true, events: 3 });
      await ledger.close();
    });

    it('refuses events of a run that never began', async () => {
      const ledger = await open();
      expect(await codeOf(ledger.append(succeededEvent(newRunId())))).toBe('conflict');
      expect(await codeOf(ledger.append(issuedEvent(newRunId())))).toBe('conflict');
      expect(await ledger.verify()).toMatchObject({ ok: true, events: 0 });
      await ledger.close();
    });

    it('lets one mint of a key be in flight at a time, and the next once it has ended', async () => {
      const ledger = await open();
      const credential_key = 'idp:aws:prod';
      const first = pendingEvent({ credential_key });
      await ledger.append(first);
      expect(await codeOf(ledger.append(pendingEvent({ credential_key })))).toBe('conflict');
      expect(await codeOf(ledger.append(pendingEvent({ credential_key: 'idp:aws:dev' })))).toBe('no error');
      await ledger.append(failedEvent(first.run_id));
      expect(await codeOf(ledger.append(pendingEvent({ credential_key })))).toBe('no error');
      await ledger.close();
    });

    it('closes a run of a dead process as abandoned when its key is asked for again', async () => {
      const ledger = await open();
      const credential_key = 'idp:aws:prod';
      const lost = pendingEvent({ credential_key });
      await ledger.append(lost);
      releaseLease(lost.run_id);
      await ledger.append(pendingEvent({ credential_key }));
      const row = await ledger.get(lost.run_id);
      expect(row).toMatchObject({ status: 'FAILED', outcome: 'unknown', error: { code: 'abandoned' } });
      expect(Date.parse(row?.live_until ?? '')).toBeGreaterThan(Date.now() + 3500_000);
      await ledger.close();
    });

    it('says of an abandoned run that had its answer that a credential was issued', async () => {
      const ledger = await open();
      const lost = pendingEvent({ credential_key: 'idp:aws:prod' });
      await ledger.append(lost);
      await ledger.append(issuedEvent(lost.run_id));
      releaseLease(lost.run_id);
      await ledger.append(pendingEvent({ credential_key: 'idp:aws:prod' }));
      expect(await ledger.get(lost.run_id)).toMatchObject({
        outcome: 'issued',
        live_until: '2100-01-01T00:00:00.000Z',
        error: { code: 'abandoned' },
      });
      await ledger.close();
    });

    it('lists newest first, filtered and page by page', async () => {
      const ledger = await open();
      const ids: string[] = [];
      for (const provider of ['aws', 'gcp', 'aws', 'azure', 'aws'])
        ids.unshift(await recordRun(ledger, { provider, actor: provider === 'gcp' ? 'alice' : 'bob' }));
      const failed = pendingEvent({ credential_key: 'idp:aws:prod' });
      await ledger.append(failed);
      await ledger.append(failedEvent(failed.run_id));
      const listed = async (filter: Parameters<AuditStore['list']>[0]) =>
        (await ledger.list(filter)).map(({ run_id }) => run_id);
      expect(await listed({})).toEqual([failed.run_id, ...ids]);
      expect(await listed({ limit: 2 })).toEqual([failed.run_id, ids[0]]);
      expect(await listed({ limit: 2, before: ids[0]! })).toEqual([ids[1], ids[2]]);
      expect(await listed({ provider: 'aws' })).toEqual([failed.run_id, ids[0], ids[2], ids[4]]);
      expect(await listed({ actor: 'alice' })).toEqual([ids[3]]);
      expect(await listed({ status: 'FAILED' })).toEqual([failed.run_id]);
      expect(await listed({ status: 'PENDING' })).toEqual([]);
      expect(await listed({ key: 'idp:aws:prod' })).toEqual([failed.run_id]);
      expect(await listed({ since: '2100-01-01T00:00:00.000Z' })).toEqual([]);
      expect(await listed({ before: newRunId() })).toEqual([]);
      await ledger.close();
    });

    it('gives the newest success of a key', async () => {
      const ledger = await open();
      expect(await ledger.latest('idp:aws:prod')).toBeUndefined();
      await recordRun(ledger, { credential_key: 'idp:aws:prod' });
      const second = await recordRun(ledger, { credential_key: 'idp:aws:prod' });
      const failed = pendingEvent({ credential_key: 'idp:aws:prod' });
      await ledger.append(failed);
      await ledger.append(failedEvent(failed.run_id));
      expect((await ledger.latest('idp:aws:prod'))?.run_id).toBe(second);
      await ledger.close();
    });

    it('traces a credential by whatever is known of it', async () => {
      const ledger = await open();
      const fingerprint = `sha256:${'a'.repeat(64)}`;
      const pending = pendingEvent();
      await ledger.append(pending);
      await ledger.append({
        ...issuedEvent(pending.run_id),
        access_key_id: tracedKeyId,
        fingerprints: { session_token: fingerprint },
      });
      await ledger.append(succeededEvent(pending.run_id));
      await recordRun(ledger);
      for (const what of [pending.run_id, `cloud-cli-${pending.run_id}`, tracedKeyId, fingerprint]) {
        expect([what, (await ledger.trace(what)).map(({ run_id }) => run_id)]).toEqual([
          what,
          [pending.run_id],
        ]);
      }
      for (const what of ['', 'ASIA', 'sha256:', `sha256:${'b'.repeat(64)}`, "' OR 1=1 --"])
        expect(await ledger.trace(what)).toEqual([]);
      await ledger.close();
    });

    it('gives its whole chain, in order', async () => {
      const ledger = await open();
      for (let run = 0; run < 400; run += 1) await recordRun(ledger);
      const events = [];
      for await (const event of ledger.events()) events.push(event);
      expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 1200 }, (_, index) => index + 1));
      expect(verifyChain(events)).toMatchObject({ ok: true, events: 1200 });
      await ledger.close();
    });

    it('verifies, and knows a saved head of its own from one of another ledger', async () => {
      const ledger = await open();
      await recordRun(ledger);
      const found = await ledger.verify();
      if (!found.ok) throw new Error(found.problem);
      await recordRun(ledger);
      expect(await ledger.verify(found.head)).toMatchObject({ ok: true, events: 6 });
      expect(await ledger.verify({ ...found.head, hash: 'e'.repeat(64) })).toMatchObject({ ok: false });
      expect(await ledger.verify({ ...found.head, seq: 7 })).toMatchObject({
        ok: false,
        problem: expect.stringContaining('cut off'),
      });
      await ledger.close();
    });
  });
}
