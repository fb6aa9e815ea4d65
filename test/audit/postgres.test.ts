/** The ledger on a real PostgreSQL: what every ledger holds, and what many hosts need. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { chainHash, genesis } from '../../src/audit/chain.js';
import { releaseLease } from '../../src/audit/lease.js';
import type { AuditStore, Lease, PendingEvent } from '../../src/audit/ledger.js';
import { openPostgresAuditStore } from '../../src/audit/postgres.js';
import { openSqliteAuditStore } from '../../src/audit/sqlite.js';
import { ledgerFinding } from '../../src/doctor/ledger.js';
import { CloudCliError } from '../../src/errors.js';
import { openAuditStore } from '../../src/index.js';
import { cloudCli, freePort, freshEnvironment, root, temporaryDirectory, until } from '../support.js';
import {
  failedEvent,
  issuedEvent,
  ledgerContract,
  pendingEvent,
  recordRun,
  succeededEvent,
} from './contract.js';
import { PostgresServer, whyNoPostgres } from './postgres-server.js';
import { TcpProxy } from './tcp-proxy.js';

/** To make the server and to remove it: its sixty databases are some twenty thousand files. */
const hookMs = 180_000;

const appendLock = 'SELECT pg_advisory_lock(7091311, 2)';

describe.skipIf(whyNoPostgres !== undefined)('PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    // Nothing here outlives a power cut.
    server = await PostgresServer.start({ fsync: 'off' });
  }, hookMs);
  afterAll(() => server?.stop(), hookMs);
  afterEach(() => {
    vi.useRealTimers();
  });

  ledgerContract('PostgreSQL', async () => openPostgresAuditStore(server.url(await server.newDatabase())));

  /** A ledger in a database of its own, closed with the test. */
  async function newLedger(parameters = ''): Promise<{ ledger: AuditStore; database: string; url: string }> {
    const database = await server.newDatabase();
    const url = server.url(database);
    return { ledger: await opened(`${url}${parameters}`), database, url };
  }

  async function newProxy(port = server.port): Promise<TcpProxy> {
    const proxy = await TcpProxy.start(port);
    onTestFinished(() => proxy.stop());
    return proxy;
  }

  /** A session that holds a lock until the test ends or lets it go. */
  async function newSession(database: string): Promise<pg.Client> {
    const session = new pg.Client({ connectionString: server.url(database) });
    session.on('error', () => {});
    await session.connect();
    onTestFinished(() => session.end().catch(() => {}));
    return session;
  }

  /** What the trigger keeps from happening, done past it. */
  async function tamper(database: string, sql: string): Promise<void> {
    const past = 'ALTER TABLE cloud_cli.event DISABLE TRIGGER event_is_append_only';
    await server.admin(
      `${past}; ${sql}; ALTER TABLE cloud_cli.event ENABLE ALWAYS TRIGGER event_is_append_only`,
      database,
    );
  }

  describe('with many hosts', () => {
    it('is made once, when ten processes open it at once', async () => {
      const url = server.url(await server.newDatabase());
      const env = freshEnvironment({ CLOUD_CLI_AUDIT_URL: url });
      const runs = await Promise.all(Array.from({ length: 10 }, () => cloudCli(['audit', 'verify'], env)));
      expect(runs.map(({ code, stderr }) => [code, stderr])).toEqual(runs.map(() => [0, '']));
    });

    it('is made once, when one process opens it ten times at once', async () => {
      for (let time = 0; time < 5; time += 1) {
        const url = server.url(await server.newDatabase());
        const ledgers = await Promise.all(Array.from({ length: 10 }, () => openPostgresAuditStore(url)));
        for (const ledger of ledgers) await ledger.close();
      }
    });

    it('serves two openings at once, each seeing the other’s events', async () => {
      const { ledger: left, url } = await newLedger();
      const right = await opened(url);
      const pending = pendingEvent();
      await left.append(pending);
      await right.append(failedEvent(pending.run_id));
      await expect(left.append(succeededEvent(pending.run_id))).rejects.toMatchObject({ code: 'conflict' });
      const runs = await Promise.all(
        Array.from({ length: 40 }, (_, index) => recordRun(index % 2 ? left : right)),
      );
      expect(await left.verify()).toMatchObject({ ok: true, events: 122 });
      expect(await right.list()).toHaveLength(runs.length + 1);
    });

    it('lets one of twenty begin a run of a key', async () => {
      const { ledger, url } = await newLedger();
      const ledgers = [ledger, await opened(url), await opened(url)];
      const begun = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) =>
          ledgers[index % 3]!.append(pendingEvent({ credential_key: 'idp:aws:prod' })),
        ),
      );
      expect(begun.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await ledger.list()).toHaveLength(1);
    });

    it('closes what a dead process left when it is opened', async () => {
      const { ledger, url } = await newLedger();
      const past = new Date(Date.now() - 1000).toISOString();
      const cases: [Partial<Lease>, string][] = [
        [{ deadline: past }, 'PENDING'],
        [{ host: 'another' }, 'PENDING'],
        [{ host: 'another', deadline: past }, 'FAILED'],
        // A host of the same name that booted another time need not be this one.
        [{ boot_id: 'of another boot' }, 'PENDING'],
        [{ boot_id: 'of another boot', deadline: past }, 'FAILED'],
        [{ boot_id: '', pid: 1 }, 'PENDING'],
        [{ boot_id: '', pid: 1, deadline: past }, 'FAILED'],
        [{ pid_namespace: 'another' }, 'PENDING'],
        [{ pid_namespace: 'another', deadline: past }, 'FAILED'],
        [{ pid: process.ppid, start_time: '1' }, 'FAILED'],
      ];
      // Those that are overdue last, for each append closes such runs.
      const runs = cases.map(([changes]) => leased(changes));
      const order = runs.toSorted((left, right) => right.lease.deadline.localeCompare(left.lease.deadline));
      const dead = pendingEvent();
      for (const pending of [dead, ...order]) await ledger.append(pending);
      releaseLease(dead.run_id);
      const reopened = await opened(url);
      const statuses = await Promise.all(
        runs.map(async ({ run_id }) => (await reopened.get(run_id))?.status),
      );
      expect(cases.map(([changes], index) => [changes, statuses[index]])).toEqual(cases);
      expect(await reopened.get(dead.run_id)).toMatchObject({ status: 'FAILED' });
      expect(await reopened.verify()).toMatchObject({ ok: true });
    });

    it('closes another host’s run past its deadline with whatever is recorded next, refused or not', async () => {
      const { ledger } = await newLedger();
      const overdue = () => leased({ host: 'another', deadline: new Date(Date.now() + 300).toISOString() });
      const first = overdue();
      await ledger.append(first);
      await new Promise((resolve) => setTimeout(resolve, 400));
      await recordRun(ledger);
      expect(await ledger.get(first.run_id)).toMatchObject({
        status: 'FAILED',
        error: { code: 'abandoned' },
      });
      const second = overdue();
      await ledger.append(second);
      await new Promise((resolve) => setTimeout(resolve, 400));
      await expect(ledger.append(succeededEvent(first.run_id))).rejects.toMatchObject({ code: 'conflict' });
      expect(await ledger.get(second.run_id)).toMatchObject({ status: 'FAILED' });
      expect(await ledger.verify()).toMatchObject({ ok: true });
    });

    it.each([-10, 10])(
      'goes by its own clock, whatever one of a host says (%i minutes off)',
      async (minutes) => {
        const { ledger, url } = await newLedger();
        const real = Date.now();
        const off = () => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + minutes * 60_000 });
        off();
        const there = leased({ host: 'another', deadline: new Date(Date.now() + 90_000).toISOString() });
        await ledger.append(there);
        vi.useRealTimers();
        const row = await (await opened(url)).get(there.run_id);
        expect(row).toMatchObject({ status: 'PENDING' });
        expect(Math.abs(Date.parse(row!.created_at) - real)).toBeLessThan(10_000);
        expect(Math.abs(Date.parse(row!.lease!.deadline) - real - 90_000)).toBeLessThan(10_000);
        // Nor does the clock of who looks count.
        off();
        expect(await (await opened(url)).get(there.run_id)).toMatchObject({ status: 'PENDING' });
      },
    );

    it('gives no event an earlier time than the one before', async () => {
      const { ledger } = await newLedger();
      const at = '2100-01-01T00:00:00.000Z';
      const pending = pendingEvent();
      const body = JSON.stringify({ seq: 1, at, ...pending });
      await ledger.import([{ seq: 1, body, hash: chainHash(genesis, body) }]);
      await ledger.append(issuedEvent(pending.run_id));
      await ledger.append(succeededEvent(pending.run_id));
      expect(await ledger.get(pending.run_id)).toMatchObject({ created_at: at, finished_at: at });
    });
  });

  describe('cannot be changed', () => {
    it.each([
      "UPDATE cloud_cli.event SET hash = 'x'",
      'DELETE FROM cloud_cli.event',
      'TRUNCATE cloud_cli.event',
    ])('by %s, not even of its owner', async (sql) => {
      const { ledger, database } = await newLedger();
      await recordRun(ledger);
      await expect(server.admin(sql, database)).rejects.toThrow('the ledger is append-only');
      await expect(server.admin(`SET session_replication_role = replica; ${sql}`, database)).rejects.toThrow(
        'the ledger is append-only',
      );
      await expect(
        server.admin(`${sql.replace(/event.*/, 'event')} WHERE false`, database),
      ).rejects.toThrow();
      expect(await ledger.verify()).toMatchObject({ ok: true, events: 3 });
    });

    it.each([
      [
        'an edit',
        "UPDATE cloud_cli.event SET body = replace(body, 'operator', 'nobody') WHERE seq = 4",
        'event 4',
      ],
      ['a hash made anew', "UPDATE cloud_cli.event SET hash = 'ab' WHERE seq = 4", 'event 4'],
      ['a removal', 'DELETE FROM cloud_cli.event WHERE seq = 5', 'event 5 is missing'],
      ['a removal at the start', 'DELETE FROM cloud_cli.event WHERE seq = 1', 'event 1 is missing'],
      [
        'a removal closed up',
        'DELETE FROM cloud_cli.event WHERE seq = 5; UPDATE cloud_cli.event SET seq = seq - 1 WHERE seq > 5',
        'event 5',
      ],
      [
        'a reordering',
        'UPDATE cloud_cli.event SET seq = -seq WHERE seq IN (4, 7); UPDATE cloud_cli.event SET seq = 11 + seq WHERE seq < 0',
        'event 4',
      ],
    ])('past the trigger without being found: %s', async (_, sql, problem) => {
      const { ledger, database } = await newLedger();
      for (let run = 0; run < 3; run += 1) await recordRun(ledger);
      await tamper(database, sql);
      expect(await ledger.verify()).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
    });

    it('by a column that says something else than the text whose hash is checked', async () => {
      const { ledger, database } = await newLedger();
      await recordRun(ledger);
      await expect(tamper(database, "UPDATE cloud_cli.event SET actor = 'nobody'")).rejects.toThrow('actor');
    });
  });

  describe('of roles as docs/postgresql.md makes them', () => {
    const [made = '', granted = ''] = [
      ...readFileSync(join(root, 'docs', 'postgresql.md'), 'utf8').matchAll(/```sql[^\n]*\n(.*?)```/gs),
    ].map((match) => match[1]!);

    it('is made by its owner, and takes events of a role that can do nothing else', async () => {
      for (const statement of made.replaceAll('change-me', server.password).split(';\n').filter(Boolean))
        await server.admin(statement);
      const url = server.url('cloud_cli', 'cloud_cli_app');
      const early = await refusalOf(openAuditStore(url));
      expect(early).toMatchObject({ code: 'audit_unavailable', message: expect.stringContaining('(42501)') });
      expect(early.hint).toContain('docs/postgresql.md');
      const owners = await opened(server.url('cloud_cli', 'cloud_cli_owner'));
      await server.as('cloud_cli_owner', granted, 'cloud_cli');
      await server.createRole('reader');
      await server.as(
        'cloud_cli_owner',
        granted.replaceAll('cloud_cli_app', 'reader').replaceAll(/, (?:INSERT|DELETE)/g, ''),
        'cloud_cli',
      );

      const ledger = await opened(url);
      await ledger.ready();
      const run_id = await recordRun(ledger);
      const lost = pendingEvent();
      await ledger.append(lost);
      expect(await owners.verify()).toMatchObject({ ok: true, events: 4 });
      for (const sql of ['DROP TABLE', 'TRUNCATE', 'DELETE FROM'])
        await expect(server.as('cloud_cli_app', `${sql} cloud_cli.event`, 'cloud_cli')).rejects.toThrow(
          /must be owner|permission denied/,
        );
      for (const sql of ['UPDATE cloud_cli.event SET hash = 1', 'CREATE TABLE cloud_cli.x ()'])
        await expect(server.as('cloud_cli_app', sql, 'cloud_cli')).rejects.toThrow('permission denied');
      for (const sql of ['UPDATE', 'DELETE FROM', 'TRUNCATE'])
        await expect(
          server.as(
            'cloud_cli_owner',
            `${sql} cloud_cli.event${sql === 'UPDATE' ? ' SET hash = 1' : ''}`,
            'cloud_cli',
          ),
        ).rejects.toThrow('the ledger is append-only');

      // Who may only read leaves the closing to who may write.
      releaseLease(lost.run_id);
      const reader = await opened(server.url('cloud_cli', 'reader'));
      expect(await reader.get(run_id)).toMatchObject({ status: 'SUCCEEDED' });
      expect(await reader.get(lost.run_id)).toMatchObject({ status: 'PENDING' });
      expect(await reader.verify()).toMatchObject({ ok: true });
      for (const work of [() => reader.ready(), () => reader.append(pendingEvent())])
        expect((await refusalOf(work())).message).toContain('(42501)');
      expect(await (await opened(url)).get(lost.run_id)).toMatchObject({ status: 'FAILED' });
    });
  });

  describe('as a standby', () => {
    it('can be read, says that it takes no event, and takes them once it is promoted', async () => {
      const primary = await PostgresServer.start();
      onTestFinished(() => primary.stop());
      const database = await primary.newDatabase();
      const ledger = await opened(primary.url(database));
      const standby = await primary.startStandby();
      onTestFinished(() => standby.stop());
      await primary.admin(`ALTER SYSTEM SET synchronous_standby_names = '*'`);
      await primary.admin('SELECT pg_reload_conf()');
      const lost = pendingEvent();
      await ledger.append(lost);
      releaseLease(lost.run_id);
      await recordRun(ledger);
      const head = await ledger.head();

      const follower = await opened(standby.url(database));
      await until(async () => (await follower.head()).seq === head.seq);
      expect(await follower.get(lost.run_id)).toMatchObject({ status: 'PENDING' });
      expect(await follower.verify(head)).toMatchObject({ ok: true, events: 4 });
      for (const work of [() => follower.ready(), () => follower.append(pendingEvent())])
        expect(await refusalOf(work())).toMatchObject({
          code: 'audit_unavailable',
          message: expect.stringContaining('is read-only (25006)'),
        });
      expect(await ledgerFinding(standby.url(database))).toMatchObject({
        status: 'problem',
        message: expect.stringContaining('is read-only'),
      });

      await primary.halt('immediate');
      await standby.admin('SELECT pg_promote()');
      await follower.ready();
      await recordRun(follower);
      expect(await (await opened(standby.url(database))).get(lost.run_id)).toMatchObject({
        status: 'FAILED',
      });
      expect(await follower.verify(head)).toMatchObject({ ok: true, events: 8 });
    });

    it('or switched to reading by its administrator, says so too', async () => {
      const { ledger, database, url } = await newLedger();
      await recordRun(ledger);
      await server.admin(`ALTER DATABASE ${database} SET default_transaction_read_only = on`);
      const reader = await opened(url);
      expect(await reader.list()).toHaveLength(1);
      expect((await refusalOf(reader.append(pendingEvent()))).message).toContain('is read-only (25006)');
    });
  });

  describe('when it fails', () => {
    it('and starts again, loses nothing, and records what comes next', async () => {
      const own = await PostgresServer.start();
      onTestFinished(() => own.stop());
      const ledger = await opened(own.url(await own.newDatabase()));
      const answered: string[] = [];
      for (const how of ['fast', 'immediate'] as const) {
        answered.push(await recordRun(ledger));
        await own.restart(how);
        answered.push(await recordRun(ledger));
        // In the middle of appends: those may fail, and what was answered stays.
        const flood = Array.from({ length: 60 }, async (_, index) => {
          await new Promise((resolve) => setTimeout(resolve, index * 10));
          answered.push(await recordRun(ledger));
        });
        const restarted = own.restart(how);
        const outcomes = await Promise.allSettled(flood);
        await restarted;
        for (const outcome of outcomes)
          if (outcome.status === 'rejected')
            expect(outcome.reason).toMatchObject({ code: 'audit_unavailable' });
        answered.push(await recordRun(ledger));
      }
      const rows = await ledger.list({ status: 'SUCCEEDED' });
      const succeeded = new Set(rows.map(({ run_id }) => run_id));
      expect(answered.filter((run_id) => !succeeded.has(run_id))).toEqual([]);
      expect(await ledger.verify()).toMatchObject({ ok: true });
      await own.halt();
      expect((await refusalOf(ledger.append(pendingEvent()))).message).toMatch(
        /cannot be reached \(ECONNREFUSED\)/,
      );
      await own.run();
      await recordRun(ledger);
    });

    it('ends idle connections, it makes new ones', async () => {
      const { ledger, database } = await newLedger();
      await recordRun(ledger);
      for (let time = 0; time < 3; time += 1) {
        await server.admin(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}'`,
        );
        await recordRun(ledger);
        await server.admin(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}'`,
        );
        expect(await ledger.list()).toHaveLength(time + 2);
      }
    });

    it.each(['before', 'after'] as const)(
      'at a commit, cut %s it got there, it records the event once',
      async (when) => {
        const { url } = await newLedger();
        const proxy = await newProxy();
        const ledger = await opened(url.replace(`:${server.port}/`, `:${proxy.port}/`));
        const pending = pendingEvent();
        const events = [pending, issuedEvent(pending.run_id), succeededEvent(pending.run_id)];
        for (const [index, event] of events.entries()) {
          proxy.cutAt('COMMIT\0', when);
          await ledger.append(event);
          expect(proxy.cuts).toBe(index + 1);
          await expect(ledger.append(event)).rejects.toMatchObject({ code: 'conflict' });
        }
        expect(await ledger.verify()).toMatchObject({ ok: true, events: 3 });
        expect(await ledger.get(pending.run_id)).toMatchObject({ status: 'SUCCEEDED' });
      },
    );

    it.each(['before', 'after'] as const)(
      'at a commit, cut %s it got there, and stays away, the same event given again is recorded once',
      async (when) => {
        const { url } = await newLedger();
        const proxy = await newProxy();
        const ledger = await opened(url.replace(`:${server.port}/`, `:${proxy.port}/`));
        const pending = pendingEvent();
        const events = [pending, issuedEvent(pending.run_id), succeededEvent(pending.run_id)];
        for (const event of events) {
          proxy.cutAt('COMMIT\0', when, 'away');
          expect(await refusalOf(ledger.append(event))).toMatchObject({ code: 'audit_unavailable' });
          proxy.comeBack();
          await ledger.append(event);
        }
        expect(await ledger.verify()).toMatchObject({ ok: true, events: 3 });
      },
    );

    it('at the commit of an import, it knows whether the chain is there', async () => {
      const { ledger: from } = await newLedger();
      await recordRun(from);
      const { url } = await newLedger();
      const proxy = await newProxy();
      const ledger = await opened(url.replace(`:${server.port}/`, `:${proxy.port}/`));
      proxy.cutAt('COMMIT\0', 'before');
      expect(await refusalOf(ledger.import(from.events()))).toMatchObject({ code: 'audit_unavailable' });
      proxy.cutAt('COMMIT\0', 'after');
      expect(await ledger.import(from.events())).toEqual(await from.head());
      expect(proxy.cuts).toBe(2);
      expect(await ledger.verify(await from.head())).toMatchObject({ ok: true, events: 3 });
    });

    it('by saying nothing more, a call ends in time', async () => {
      const { url } = await newLedger();
      const proxy = await newProxy();
      const ledger = await opened(`${url.replace(`:${server.port}/`, `:${proxy.port}/`)}?query_timeout=700`);
      proxy.freeze();
      for (const call of [() => ledger.append(pendingEvent()), () => ledger.list(), () => ledger.ready()]) {
        const began = Date.now();
        expect((await refusalOf(call())).message).toContain('did not answer in time (TIMEOUT)');
        // By default it would end after 35 seconds.
        expect(Date.now() - began).toBeLessThan(30_000);
      }
      proxy.comeBack();
      await recordRun(ledger);
    });

    it('takes no more connections, it says so', async () => {
      const { ledger, database } = await newLedger();
      await server.admin(`ALTER DATABASE ${database} CONNECTION LIMIT 0`);
      await server.createRole('crowd');
      await server.admin(`GRANT CONNECT ON DATABASE ${database} TO crowd`);
      const error = await refusalOf(openAuditStore(server.url(database, 'crowd')));
      expect(error.message).toContain('(53300)');
      await ledger.close();
    });
  });

  describe('while another session holds the append lock', () => {
    it('records nothing, and says so in time; readers do not wait', async () => {
      const { ledger, database } = await newLedger();
      const run_id = await recordRun(ledger);
      const holder = await newSession(database);
      await holder.query(appendLock);
      const pending = pendingEvent();
      const began = Date.now();
      const appends = [pending, pendingEvent(), pendingEvent(), pendingEvent()].map((event) =>
        refusalOf(ledger.append(event)),
      );
      const readied = refusalOf(ledger.ready());
      // The lock is not let go of before they have answered.
      expect(await ledger.get(run_id)).toMatchObject({ status: 'SUCCEEDED' });
      expect(await ledger.list()).toHaveLength(1);
      expect(await ledger.verify()).toMatchObject({ ok: true, events: 3 });
      expect(await ledger.head()).toMatchObject({ seq: 3 });
      for (const error of await Promise.all([...appends, readied]))
        expect(error).toMatchObject({ code: 'audit_unavailable' });
      expect((await appends[0])?.message).toContain('is locked by another session (55P03)');
      // The statement's own limit is 30 seconds.
      expect(Date.now() - began).toBeLessThan(25_000);
      await holder.end();
      expect(await ledger.head()).toMatchObject({ seq: 3 });
      await ledger.append(pending);
      expect(await ledger.verify()).toMatchObject({ ok: true, events: 4 });
    });

    it('for a moment, waits', async () => {
      const { ledger, database } = await newLedger();
      const holder = await newSession(database);
      await holder.query(appendLock);
      setTimeout(() => void holder.end(), 500);
      await recordRun(ledger);
      expect(await ledger.verify()).toMatchObject({ ok: true, events: 3 });
    });
  });

  it('commits to disk, even where the database is set not to', async () => {
    const { ledger, database, url } = await newLedger();
    await ledger.close();
    await server.admin(
      `ALTER DATABASE ${database} SET synchronous_commit = off;
       ALTER DATABASE ${database} SET default_transaction_isolation = 'serializable';
       CREATE TABLE seen (setting text, level text);
       CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         INSERT INTO seen VALUES (current_setting('synchronous_commit'), current_setting('transaction_isolation')); RETURN NULL;
       END $$;
       CREATE TRIGGER see AFTER INSERT ON cloud_cli.event EXECUTE FUNCTION see()`,
      database,
    );
    await recordRun(await opened(url));
    expect(await server.admin('SELECT DISTINCT * FROM seen', database)).toEqual([
      { setting: 'on', level: 'read committed' },
    ]);
  });

  it('says who it is, in pg_stat_activity', async () => {
    const { database } = await newLedger();
    const sessions = await server.admin(
      `SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = '${database}' AND pid <> pg_backend_pid()`,
      database,
    );
    expect(sessions).toEqual([{ application_name: 'cloud-cli' }]);
  });

  it('of a newer version is left alone', async () => {
    const { database, url } = await newLedger();
    await server.admin('INSERT INTO cloud_cli.migration VALUES (99)', database);
    expect(await refusalOf(openAuditStore(url))).toMatchObject({
      code: 'audit_unavailable',
      message: 'the ledger has schema version 99, newer than this cloud-cli knows',
      hint: expect.stringContaining('Update cloud-cli'),
    });
  });

  it('in another encoding than UTF-8 is not made', async () => {
    const database = await server.newDatabase("ENCODING 'LATIN1' TEMPLATE template0");
    const error = await refusalOf(openAuditStore(server.url(database)));
    expect(error.message).toContain('encoding LATIN1');
  });

  it('is moved to and from with audit export and audit import, byte by byte', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'audit.sqlite');
    const from = await openSqliteAuditStore(file);
    for (let run = 0; run < 20; run += 1) await recordRun(from, { reason: 'ünïcode ❤' });
    await from.close();
    const cli = async (url: string, args: string[], input = '') => {
      const ran = await cloudCli(['audit', ...args], freshEnvironment({ CLOUD_CLI_AUDIT_URL: url }), input);
      expect([ran.code, ran.stderr]).toEqual([0, '']);
      return ran.stdout;
    };
    const there = server.url(await server.newDatabase());
    const before = await cli(`sqlite:${file}`, ['export']);
    await cli(there, ['import', '-'], before);
    expect(await cli(there, ['export'])).toBe(before);
    writeFileSync(join(directory, 'audit.jsonl'), await cli(there, ['export']));
    const back = `sqlite:${join(directory, 'back.sqlite')}`;
    const head = JSON.parse(await cli(back, ['import', join(directory, 'audit.jsonl'), '--json']));
    expect(head).toMatchObject({ seq: 60 });
    expect(await cli(back, ['export'])).toBe(before);
    for (const url of [there, back])
      expect(JSON.parse(await cli(url, ['verify', '--json']))).toMatchObject({ ok: true, head });
  });

  describe('in the findings of doctor', () => {
    it('is verified and takes writes, or says why not', async () => {
      const { ledger, database, url } = await newLedger();
      await recordRun(ledger);
      expect(await ledgerFinding(url)).toMatchObject({
        status: 'ok',
        message: `postgres://127.0.0.1:${server.port}/${database}: verified, events: 3`,
      });
      await server.admin(`ALTER DATABASE ${database} SET default_transaction_read_only = on`);
      expect(await ledgerFinding(url)).toMatchObject({
        status: 'problem',
        message: expect.stringContaining('is read-only'),
      });
    });
  });

  describe('tells nobody the password', () => {
    it('whatever fails', async () => {
      const database = await server.newDatabase();
      const url = server.url(database);
      const raw = (password: string) =>
        `postgres://postgres:${password}@127.0.0.1:${server.port}/${database}`;
      const closed = await freePort();
      const wrong = ['n0t', 'the', 'passw0rd'].join('-');
      const cases: [string, string, string][] = [
        [url.replace(`:${server.port}`, `:${closed}`), 'audit_unavailable', 'ECONNREFUSED'],
        [url.replace('127.0.0.1', 'nowhere.invalid'), 'audit_unavailable', 'no name server knows'],
        [url.replace(database, 'nowhere'), 'audit_unavailable', '3D000'],
        [raw(wrong), 'audit_unavailable', '28P01'],
        [
          `postgres://127.0.0.1:${server.port}/${database}?user=postgres&password=${wrong}`,
          'audit_unavailable',
          '28P01',
        ],
        [
          `postgres://postgres@127.0.0.1:${server.port}/${database}`,
          'audit_unavailable',
          'refused the login',
        ],
        [`${url}?sslmode=verify-full`, 'audit_unavailable', 'NO_TLS'],
        [`${url}?sslmode=verify-full&sslrootcert=/nowhere/${wrong}.pem`, 'invalid_request', 'ENOENT'],
        [`${url}?host=/nowhere`, 'audit_unavailable', 'ENOENT'],
        [raw(`${wrong}/@`), 'invalid_request', 'audit_url'],
        [raw(`${wrong}?@`), 'invalid_request', 'audit_url'],
        [raw(`${wrong}#@`), 'invalid_request', 'audit_url'],
        [raw('%zz'), 'audit_unavailable', '28P01'],
        [`postgres://postgres:1234?${wrong}@127.0.0.1/x`, 'invalid_request', 'audit_url'],
        [`postgres://127.0.0.1:${wrong}/x`, 'invalid_request', 'audit_url'],
        [`postgres:${wrong}`, 'invalid_request', 'audit_url'],
        [`postgresql://`, 'audit_unavailable', ''],
      ];
      for (const [given, code, told] of cases) {
        const error = await refusalOf(openAuditStore(given));
        expect([given, error.code, error.message]).toEqual([given, code, expect.stringContaining(told)]);
        const finding = await ledgerFinding(given);
        expect(finding.status).toBe('problem');
        const said = [
          inspect(error, { depth: 9 }),
          error.stack,
          JSON.stringify(error),
          JSON.stringify(finding),
        ].join();
        for (const secret of [wrong, server.password, encodeURIComponent(server.password)])
          expect([given, said.includes(secret)]).toEqual([given, false]);
        expect(error.hint).not.toBe('');
      }
    });

    it('when a column or the disk refuses', async () => {
      const { ledger, database, url } = await newLedger();
      await server.admin(
        `CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           RAISE EXCEPTION 'no space on %', NEW.body USING ERRCODE = 'disk_full'; END $$;
         CREATE TRIGGER fill BEFORE INSERT ON cloud_cli.event FOR EACH ROW EXECUTE FUNCTION fill()`,
        database,
      );
      const error = await refusalOf(ledger.append(pendingEvent()));
      expect(error.message).toBe(
        `the ledger postgres://127.0.0.1:${server.port}/${database} cannot grow: the disk is full (53100)`,
      );
      expect(inspect(error)).not.toContain('no space');
      expect(inspect(error)).not.toContain(url);
    });
  });

  describe('over TLS', () => {
    it('trusts the named authority alone, and the name in the certificate', async () => {
      const directory = temporaryDirectory();
      const [authority, other] = [newAuthority(directory, 'authority'), newAuthority(directory, 'other')];
      const { certificate, key } = newCertificate(directory, 'authority', 'IP:127.0.0.1');
      const own = await PostgresServer.start();
      onTestFinished(() => own.stop());
      await own.halt();
      own.configure({
        ssl: 'on',
        ssl_cert_file: own.put('server.crt', certificate),
        ssl_key_file: own.put('server.key', key),
      });
      await own.run();
      const url = own.url(await own.newDatabase());
      const ledger = await opened(`${url}?sslmode=verify-full&sslrootcert=${authority}`);
      await recordRun(ledger);
      const sessions = await own.admin(
        `SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'cloud-cli'`,
      );
      expect(sessions).toEqual([{ ssl: true }]);
      for (const [where, parameters] of [
        [url, `sslmode=verify-full&sslrootcert=${other}`],
        [url, 'sslmode=verify-full'],
        [url.replace('127.0.0.1', 'localhost'), `sslmode=verify-full&sslrootcert=${authority}`],
      ] as const) {
        const error = await refusalOf(openAuditStore(`${where}?${parameters}`));
        expect(error).toMatchObject({
          code: 'audit_unavailable',
          message: expect.stringContaining('is not trusted: TLS failed'),
          hint: expect.stringContaining('sslrootcert'),
        });
      }
    });
  });
});

/** A ledger that is closed with the test. */
async function opened(url: string): Promise<AuditStore> {
  const ledger = await openAuditStore(url);
  onTestFinished(() => ledger.close());
  return ledger;
}

function leased(changes: Partial<Lease>): Omit<PendingEvent, 'at'> {
  const pending = pendingEvent();
  return { ...pending, lease: { ...pending.lease, ...changes } };
}

async function refusalOf(work: Promise<unknown>): Promise<CloudCliError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CloudCliError)) throw new Error(`not refused: ${error}`);
  return error;
}

const openssl = (directory: string, ...args: string[]) =>
  execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });

/** A certificate authority, as the file of its certificate. */
function newAuthority(directory: string, name: string): string {
  const made = ['-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '2', '-subj', `/CN=${name}`];
  openssl(directory, 'req', '-x509', '-newkey', 'rsa:2048', '-noenc', ...made);
  return join(directory, `${name}.pem`);
}

function newCertificate(directory: string, authority: string, name: string) {
  const asked = ['-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=server'];
  openssl(directory, 'req', '-newkey', 'rsa:2048', '-noenc', ...asked, '-addext', `subjectAltName=${name}`);
  const by = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial'];
  const made = ['-in', 'server.csr', '-out', 'server.pem', '-days', '2', '-copy_extensions', 'copy'];
  openssl(directory, 'x509', '-req', ...made, ...by);
  return {
    certificate: readFileSync(join(directory, 'server.pem'), 'utf8'),
    key: readFileSync(join(directory, 'server.key'), 'utf8'),
  };
}
