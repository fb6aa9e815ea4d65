/** What every ledger must hold: run on each storage engine. */
import { describe, expect, it } from 'vitest';
import { type ChainedEvent, chainHash, genesis, verifyChain } from '../../src/audit/chain.js';
import { releaseLease, takeLease } from '../../src/audit/lease.js';
import type {
  AuditStore,
  FailedEvent,
  IssuedEvent,
  NewEvent,
  PendingEvent,
  SucceededEvent,
} from '../../src/audit/ledger.js';
import { eventsOf, lineOf } from '../../src/audit/lines.js';
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

/** The events of a run, as an import finds them. */
function oneRun(): NewEvent[] {
  const pending = pendingEvent();
  return [pending, issuedEvent(pending.run_id), succeededEvent(pending.run_id)];
}

const many = (runs: number): NewEvent[] => Array.from({ length: runs }, oneRun).flat();

/** A chain that verifies, of whatever it is made. */
function chained(events: unknown[]): ChainedEvent[] {
  let hash = genesis;
  return events.map((event, index) => {
    const body = JSON.stringify({ seq: index + 1, at: '2026-11-01T00:00:00.000Z', ...(event as object) });
    hash = chainHash(hash, body);
    return { seq: index + 1, body, hash };
  });
}

async function everything(ledger: AuditStore): Promise<ChainedEvent[]> {
  const events = [];
  for await (const event of ledger.events()) events.push(event);
  return events;
}

/** An export in chunks that know nothing of lines or characters. */
async function* linesOf(ledger: AuditStore): AsyncIterable<Buffer> {
  const text = Buffer.from((await everything(ledger)).map(lineOf).join(''));
  for (let at = 0; at < text.length; at += 997) yield text.subarray(at, at + 997);
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
      // The same time with another zone, and without the fraction that rows have.
      const [{ created_at } = { created_at: '' }] = await ledger.list({ limit: 1 });
      const second = created_at.replace(/\.\d+Z$/, 'Z');
      expect(await listed({ since: second })).toContain(failed.run_id);
      const behind = new Date(Date.parse(second) - 5 * 3600_000).toISOString().replace(/\.\d+Z$/, '-05:00');
      expect(await listed({ since: behind })).toContain(failed.run_id);
      const later = new Date(Date.parse(second) + 3600_000 - 5 * 3600_000).toISOString();
      expect(await listed({ since: later.replace('Z', '-05:00') })).toEqual([]);
      await expect(ledger.list({ since: '2026-02-30' })).rejects.toMatchObject({ code: 'invalid_request' });
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
      for (const what of ['', '\0', '\udc00', 'ASIA', 'sha256:', `sha256:${'b'.repeat(64)}`, "' OR 1=1 --"])
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

    it('takes over another chain to the letter, and its runs in flight', async () => {
      const [from, to, back] = [await open(), await open(), await open()];
      for (let run = 0; run < 200; run += 1) await recordRun(from, { reason: 'é ❤ "\u2028\\' });
      const pending = pendingEvent({ credential_key: 'idp:aws:prod' });
      await from.append(pending);
      await from.append(issuedEvent(pending.run_id));
      expect(await to.import(from.events())).toEqual(await from.head());
      expect(await back.import(eventsOf(linesOf(to)))).toEqual(await from.head());
      expect(await everything(back)).toEqual(await everything(from));
      expect(await to.list()).toEqual(await from.list());
      expect(await to.verify(await from.head())).toMatchObject({ ok: true, events: 602 });
      const next = pendingEvent({ credential_key: 'idp:aws:prod' });
      expect(await codeOf(to.append(next))).toBe('conflict');
      releaseLease(pending.run_id);
      await to.append(next);
      expect(await to.get(pending.run_id)).toMatchObject({ outcome: 'issued', error: { code: 'abandoned' } });
      for (const ledger of [from, to, back]) await ledger.close();
    });

    it('takes over a chain into an empty ledger only', async () => {
      const [from, to] = [await open(), await open()];
      await recordRun(from);
      await recordRun(to);
      const before = await everything(to);
      expect(await codeOf(to.import(from.events()))).toBe('conflict');
      expect(await everything(to)).toEqual(before);
      for (const ledger of [from, to]) await ledger.close();
    });

    it.each<[string, string, (events: NewEvent[]) => unknown[]]>([
      [
        'an unknown kind',
        'line 3',
        (events) => events.toSpliced(2, 1, { ...events[2], kind: 'PAUSED' } as never),
      ],
      ['an unknown member', 'line 1', ([first]) => [{ ...first, token: 'x' }]],
      ['a member that lacks', 'line 2', ([first, second]) => [first, { ...second, expires_at: undefined }]],
      ['an end of a run that never began', 'line 1', (events) => events.slice(2)],
      ['a second issue', 'line 3', ([first, second]) => [first, second, second]],
      ['a run that begins again', 'line 4', (events) => [...events, events[0]]],
      ['a run that begins again much later', 'line 1804', (events) => [...many(600), ...events, events[0]]],
      ['a second run of a key in flight', 'line 2', ([first]) => [first, { ...first, run_id: newRunId() }]],
      ['half of a surrogate pair', 'line 1', ([first]) => [{ ...first, reason: '\udc00' }]],
    ])('refuses a chain with %s, and stays empty', async (_, line, change) => {
      const ledger = await open();
      const chain = chained(change(oneRun()));
      expect(verifyChain(chain)).toMatchObject({ ok: true });
      await expect(ledger.import(chain)).rejects.toMatchObject({
        code: 'invalid_request',
        message: expect.stringMatching(new RegExp(`^events: ${line} `)),
      });
      expect(await ledger.head()).toMatchObject({ seq: 0 });
      expect(await everything(ledger)).toEqual([]);
      await recordRun(ledger);
      await ledger.close();
    });

    it('refuses a chain that does not verify, or that breaks off, and stays empty', async () => {
      const ledger = await open();
      const chain = chained([...many(400), ...oneRun()]);
      const edited = chain.map((event) =>
        event.seq === 900
          ? { ...event, body: event.body.replace('"duration_ms":12', '"duration_ms":13') }
          : event,
      );
      await expect(ledger.import(edited)).rejects.toMatchObject({
        code: 'invalid_request',
        message: 'events: line 900 does not verify: event 900 was changed, or the one before it was',
      });
      const written = chain.toSpliced(0, 1, { ...chain[0]!, body: chain[0]!.body.replace(':', ': ') });
      expect(await codeOf(ledger.import(written))).toBe('invalid_request');
      async function* breaking() {
        yield* chain;
        throw new Error('the pipe broke');
      }
      await expect(ledger.import(breaking())).rejects.toThrow('the pipe broke');
      expect(await everything(ledger)).toEqual([]);
      expect(await ledger.import(chain)).toMatchObject({ seq: 1203 });
      await ledger.close();
    });

    it('keeps texts that no engine can take as they are, without what is broken in them', async () => {
      const ledger = await open();
      const run_id = await recordRun(ledger, { reason: 'a\0b\udc00c' });
      expect(await ledger.get(run_id)).toMatchObject({ reason: 'a\ufffdb\ufffdc' });
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
