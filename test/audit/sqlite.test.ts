import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { abandon } from '../../src/audit/abandoned.js';
import { releaseLease } from '../../src/audit/lease.js';
import type { Lease } from '../../src/audit/ledger.js';
import { openSqliteAuditStore } from '../../src/audit/sqlite.js';
import { CloudCliError } from '../../src/errors.js';
import { cloudCli, freshEnvironment, temporaryDirectory } from '../support.js';
import { failedEvent, ledgerContract, pendingEvent, recordRun, succeededEvent } from './contract.js';

const newFile = () => join(temporaryDirectory(), 'audit.sqlite');

ledgerContract('SQLite', () => openSqliteAuditStore(newFile()));

async function refusal(file: string): Promise<CloudCliError> {
  const error = await openSqliteAuditStore(file).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CloudCliError)) throw new Error(`not refused: ${error}`);
  return error;
}

/** A ledger with three runs, edited past its triggers by `sql`. */
async function tampered(
  sql: string,
): Promise<Awaited<ReturnType<Awaited<ReturnType<typeof openSqliteAuditStore>>['verify']>>> {
  const file = newFile();
  const ledger = await openSqliteAuditStore(file);
  for (let i = 0; i < 3; i += 1) await recordRun(ledger);
  await ledger.close();
  const db = new Database(file);
  db.exec(`DROP TRIGGER event_is_not_updated; DROP TRIGGER event_is_not_deleted; ${sql}`);
  db.close();
  const reopened = await openSqliteAuditStore(file);
  const found = await reopened.verify();
  await reopened.close();
  return found;
}

function isEvent(text: string): boolean {
  try {
    const event: object = JSON.parse(text);
    return ['kind', 'run_id', 'at'].every((name) => name in event);
  } catch {
    return false;
  }
}

describe('a SQLite ledger', () => {
  it.each([0o000, 0o022, 0o077, 0o277])('is readable by its owner alone, under umask %o', async (umask) => {
    const before = process.umask(umask);
    try {
      const file = join(temporaryDirectory(), 'new', 'audit.sqlite');
      const ledger = await openSqliteAuditStore(file);
      await recordRun(ledger);
      for (const name of [file, `${file}-wal`, `${file}-shm`])
        expect(statSync(name).mode & 0o777).toBe(0o600);
      expect(statSync(join(file, '..')).mode & 0o077).toBe(0);
      await ledger.close();
    } finally {
      process.umask(before);
    }
  });

  it('writes ahead and syncs at every commit', async () => {
    const file = newFile();
    const ledger = await openSqliteAuditStore(file);
    const db = new Database(file);
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    db.close();
    await ledger.close();
    expect(readFileSync(new URL('../../src/audit/sqlite.ts', import.meta.url), 'utf8')).toContain(
      "db.pragma('synchronous = FULL')",
    );
  });

  it('shares a commit among events that wait together, of which one that is refused takes no other with it', async () => {
    const ledger = await openSqliteAuditStore(join(temporaryDirectory(), 'audit.sqlite'));
    const [first, second, third] = [pendingEvent(), pendingEvent(), pendingEvent()];
    const settled = await Promise.allSettled([
      ledger.append(first),
      // Ours refuses the first of these, and SQLite the second.
      ledger.append(succeededEvent(third.run_id)),
      ledger.append({ ...second, run_id: null as unknown as string }),
      ledger.append(third),
    ]);
    expect(settled.map((each) => (each.status === 'rejected' ? each.reason.code : 'kept'))).toEqual([
      'kept',
      'conflict',
      'audit_unavailable',
      'kept',
    ]);
    expect((await ledger.list()).map(({ run_id }) => run_id).toSorted()).toEqual(
      [first.run_id, third.run_id].toSorted(),
    );
    expect(await ledger.verify()).toMatchObject({ ok: true, events: 2 });
    for (const { run_id } of [first, third]) releaseLease(run_id);
    await ledger.close();
  });

  it('is made once by processes that come to it together', async () => {
    for (let round = 0; round < 4; round += 1) {
      const env = freshEnvironment();
      const all = await Promise.all([1, 2, 3].map(() => cloudCli(['audit', 'list'], env)));
      expect(all.map(({ code, stderr }) => [code, stderr])).toEqual([
        [0, ''],
        [0, ''],
        [0, ''],
      ]);
    }
  });

  it('refuses update and delete', async () => {
    const file = newFile();
    const ledger = await openSqliteAuditStore(file);
    await recordRun(ledger);
    const db = new Database(file);
    expect(() => db.exec("UPDATE event SET hash = 'x'")).toThrow('append-only');
    expect(() => db.exec('DELETE FROM event')).toThrow('append-only');
    db.close();
    await ledger.close();
  });

  it.each([
    ['an edit', "UPDATE event SET body = replace(body, 'operator', 'nobody') WHERE seq = 4"],
    ['an edit with its own hash made anew', "UPDATE event SET hash = 'ab' WHERE seq = 4"],
    ['a removal', 'DELETE FROM event WHERE seq = 5'],
    ['a removal at the start', 'DELETE FROM event WHERE seq = 1'],
    ['a removal closed up', 'DELETE FROM event WHERE seq = 5; UPDATE event SET seq = seq - 1 WHERE seq > 5'],
    [
      'a reordering',
      'UPDATE event SET seq = 100 WHERE seq = 4; UPDATE event SET seq = 4 WHERE seq = 7; UPDATE event SET seq = 7 WHERE seq = 100',
    ],
  ])('finds %s', async (_, sql) => {
    expect(await tampered(sql)).toMatchObject({ ok: false });
  });

  it('finds any one flipped character of any event', async () => {
    const file = newFile();
    const ledger = await openSqliteAuditStore(file);
    await recordRun(ledger);
    await ledger.close();
    const db = new Database(file);
    db.exec('DROP TRIGGER event_is_not_updated');
    const bodies = db.prepare<[], { seq: number; body: string }>('SELECT seq, body FROM event').all();
    const reopened = await openSqliteAuditStore(file);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...bodies), fc.nat(), async ({ seq, body }, place) => {
        const letters = [...body.matchAll(/[a-z]/g)].map((match) => match.index);
        const at = letters[place % letters.length]!;
        const flipped = `${body.slice(0, at)}${body[at] === 'q' ? 'z' : 'q'}${body.slice(at + 1)}`;
        // What is no JSON any more, or lost a member that a column is made from, SQLite refuses to write.
        if (!isEvent(flipped)) return;
        db.prepare('UPDATE event SET body = ? WHERE seq = ?').run(flipped, seq);
        const found = await reopened.verify().catch(() => ({ ok: false }));
        db.prepare('UPDATE event SET body = ? WHERE seq = ?').run(body, seq);
        expect(found.ok).toBe(false);
      }),
      { numRuns: 60 },
    );
    expect(await reopened.verify()).toMatchObject({ ok: true });
    db.close();
    await reopened.close();
  });

  it('closes what a dead process left when it is opened', async () => {
    const file = newFile();
    const ledger = await openSqliteAuditStore(file);
    const past = new Date(Date.now() - 1000).toISOString();
    const cases: [Partial<Lease>, string][] = [
      [{ deadline: past }, 'PENDING'],
      [{ host: 'another' }, 'PENDING'],
      [{ host: 'another', deadline: past }, 'FAILED'],
      [{ boot_id: 'of the boot before' }, 'FAILED'],
      [{ boot_id: '', pid: 1 }, 'PENDING'],
      [{ boot_id: '', pid: 1, deadline: past }, 'FAILED'],
      [{ pid_namespace: 'another' }, 'PENDING'],
      [{ pid_namespace: 'another', deadline: past }, 'FAILED'],
    ];
    const runs = cases.map(([changes]) => {
      const pending = pendingEvent();
      return { ...pending, lease: { ...pending.lease, ...changes } };
    });
    const dead = pendingEvent();
    for (const pending of [...runs, dead]) await ledger.append(pending);
    await ledger.close();
    releaseLease(dead.run_id);
    const reopened = await openSqliteAuditStore(file);
    const statuses = await Promise.all(runs.map(async ({ run_id }) => (await reopened.get(run_id))?.status));
    expect(cases.map(([changes], index) => [changes, statuses[index]])).toEqual(cases);
    expect(await reopened.get(dead.run_id)).toMatchObject({ status: 'FAILED' });
    await reopened.close();
  });

  it('closes what its own process had to leave open, when that begins a run of any key', async () => {
    const ledger = await openSqliteAuditStore(newFile());
    const left = pendingEvent();
    await ledger.append(left);
    releaseLease(left.run_id);
    await ledger.append(pendingEvent());
    expect(await ledger.get(left.run_id)).toMatchObject({ status: 'FAILED', error: { code: 'abandoned' } });
    await ledger.close();
  });

  it('does not believe a clock that was set back when it says until when an abandoned run may be live', () => {
    const pending = { ...pendingEvent(), at: '2030-01-01T12:00:00.000Z' };
    const closed = abandon(pending, undefined, new Date('2030-01-01T10:00:00.000Z'));
    expect(closed.live_until).toBe('2030-01-01T13:00:00.000Z');
  });

  it('tells a pid that was given anew from the process that had it', async () => {
    const file = newFile();
    const ledger = await openSqliteAuditStore(file);
    const pending = pendingEvent();
    pending.lease = { ...pending.lease, pid: process.ppid, start_time: '1' };
    await ledger.append(pending);
    await ledger.close();
    const reopened = await openSqliteAuditStore(file);
    expect(await reopened.get(pending.run_id)).toMatchObject({
      status: 'FAILED',
      error: { code: 'abandoned' },
    });
    await reopened.close();
  });

  it('serves two openings at once, each seeing the other’s events', async () => {
    const file = newFile();
    const [left, right] = await Promise.all([openSqliteAuditStore(file), openSqliteAuditStore(file)]);
    const pending = pendingEvent();
    await left.append(pending);
    await right.append(failedEvent(pending.run_id));
    await expect(left.append(succeededEvent(pending.run_id))).rejects.toMatchObject({ code: 'conflict' });
    expect(await left.verify()).toMatchObject({ ok: true, events: 2 });
    await left.close();
    await right.close();
  });

  it('cannot be opened as what it is not, and says what to do', async () => {
    const directory = temporaryDirectory();
    const text = join(directory, 'text');
    writeFileSync(text, 'x'.repeat(5000), { mode: 0o600 });
    expect(await refusal(text)).toMatchObject({
      code: 'audit_unavailable',
      message: expect.stringContaining('not a SQLite database'),
    });

    const open = join(directory, 'open');
    writeFileSync(open, '');
    chmodSync(open, 0o644);
    expect(await refusal(open)).toMatchObject({
      code: 'audit_unavailable',
      hint: expect.stringContaining('chmod 600'),
    });

    const link = join(directory, 'link');
    symlinkSync(text, link);
    expect(await refusal(link)).toMatchObject({
      code: 'audit_unavailable',
      message: expect.stringContaining('not a regular file'),
    });
    mkdirSync(join(directory, 'folder'));
    expect(await refusal(join(directory, 'folder'))).toMatchObject({ code: 'audit_unavailable' });
    expect(await refusal(join(text, 'below'))).toMatchObject({ code: 'audit_unavailable' });
    expect(existsSync(join(directory, 'audit.sqlite'))).toBe(false);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'is not opened when it belongs to another user (needs root to make one)',
    async () => {
      const file = newFile();
      await (await openSqliteAuditStore(file)).close();
      chownSync(file, 12345, 12345);
      expect(await refusal(file)).toMatchObject({
        code: 'audit_unavailable',
        message: expect.stringContaining('another user'),
      });
    },
  );

  it('of a newer version is left alone', async () => {
    const file = newFile();
    await (await openSqliteAuditStore(file)).close();
    const db = new Database(file);
    db.pragma('user_version = 99');
    db.close();
    expect(await refusal(file)).toMatchObject({
      code: 'audit_unavailable',
      hint: expect.stringContaining('Update cloud-cli'),
    });
  });

  it('that another process has locked for long is unavailable', async () => {
    const file = newFile();
    const ledger = await openSqliteAuditStore(file);
    const db = new Database(file);
    db.exec('BEGIN IMMEDIATE');
    await expect(ledger.append(pendingEvent())).rejects.toMatchObject({
      code: 'audit_unavailable',
      message: expect.stringContaining('locked'),
    });
    db.exec('ROLLBACK');
    db.close();
    await ledger.append(pendingEvent());
    await ledger.close();
  });
});
