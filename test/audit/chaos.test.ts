/**
 * Ten processes of four hosts mint on five keys against one PostgreSQL, are killed at random and started again, and
 * PostgreSQL itself crashes once: the ledger says the truth all the same. CLOUD_CLI_CHAOS_SECONDS says how long.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AuditStore, RunEvent } from '../../src/audit/ledger.js';
import { openAuditStore } from '../../src/index.js';
import { freshEnvironment, root } from '../support.js';
import { PostgresServer, whyNoPostgres } from './postgres-server.js';

const given = process.env.CLOUD_CLI_CHAOS_SECONDS;
const seconds = Number(given ?? 15);
/** Hosts that are none have their runs leased for five seconds. */
const leaseMs = 5000;
const hosts = ['', '', '', '', 'host-b', 'host-b', 'host-c', 'host-c', 'host-d', 'host-d'];

interface Answer {
  code: string;
  run_id?: string;
  message?: string;
}

describe.skipIf(whyNoPostgres !== undefined)('chaos', () => {
  it('leaves a chain that verifies, no key minted twice at once, and no run open', {
    timeout: seconds * 1000 + 180_000,
  }, async () => {
    const server = await PostgresServer.start();
    onTestFinished(() => server.stop());
    const url = server.url(await server.newDatabase());
    const env = freshEnvironment();
    const answers: Answer[] = [];
    const complaints: string[] = [];
    const start = (host: string) => minting(url, host, env, answers, complaints);

    const running = hosts.map(start);
    onTestFinished(() => running.forEach((child) => void child.kill('SIGKILL')));
    const end = Date.now() + seconds * 1000;
    const crash = Date.now() + seconds * 500;
    let kills = 0;
    let restarted: Promise<void> | undefined;
    // Where the host is so busy that nothing was minted yet, nothing was tried.
    const isTried = () => answers.some(({ code }) => code === 'minted');
    while (Date.now() < end || (!isTried() && Date.now() < end + 60_000)) {
      await sleep(200 + Math.random() * 800);
      if (Date.now() > crash) restarted ??= server.restart('immediate');
      const victim = Math.floor(Math.random() * running.length);
      running[victim]!.kill('SIGKILL');
      kills += 1;
      running[victim] = start(hosts[victim]!);
    }
    await restarted;
    await Promise.all(running.map(killed));

    await sleep(leaseMs);
    const ledger = await openAuditStore(url);
    onTestFinished(() => ledger.close());
    expect(await ledger.verify()).toMatchObject({ ok: true });
    const { overlaps, backwards, ends } = await history(ledger);
    expect([overlaps, backwards]).toEqual([[], []]);
    expect(await ledger.list({ status: 'PENDING' })).toEqual([]);
    const minted = answers.filter(({ code }) => code === 'minted');
    expect(minted.filter(({ run_id }) => ends.get(run_id!) !== 'SUCCEEDED')).toEqual([]);
    // A mint fails because of another one, of the vendor, or of the crash; never by itself.
    const codes = countOf(answers.map(({ code }) => code));
    const expected = ['minted', 'conflict', 'nonzero_exit', 'audit_unavailable'];
    expect(Object.keys(codes).filter((code) => !expected.includes(code))).toEqual([]);
    expect(complaints.filter((text) => !/audit_unavailable|the ledger/.test(text))).toEqual([]);
    expect(isTried()).toBe(true);
    if (given !== undefined)
      console.log({
        seconds,
        kills,
        ...codes,
        runs: countOf([...ends.values()]),
        events: (await ledger.head()).seq,
      });
  });
});

function minting(url: string, host: string, env: NodeJS.ProcessEnv, answers: Answer[], complaints: string[]) {
  const child = spawn(process.execPath, [join(root, 'test', 'audit', 'chaos-host.mjs'), url, host], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.on('data', (chunk) => {
    const lines = `${text}${chunk}`.split('\n');
    text = lines.pop()!;
    answers.push(...lines.map((line) => JSON.parse(line) as Answer));
  });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  child.once('close', () => {
    if (complaint !== '') complaints.push(complaint);
  });
  return child;
}

function killed(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('close', () => resolve());
    if (!child.kill('SIGKILL')) resolve();
  });
}

/** What the chain tells: runs of a key in flight at once, events older than the one before, and how each run ended. */
async function history(ledger: AuditStore) {
  const flights = new Map<string, string>();
  const keys = new Map<string, string>();
  const ends = new Map<string, string>();
  const overlaps: string[] = [];
  const backwards: number[] = [];
  let last = '';
  for await (const { seq, body } of ledger.events()) {
    const event = JSON.parse(body) as RunEvent;
    if (event.at < last) backwards.push(seq);
    last = event.at;
    if (event.kind === 'PENDING') {
      if (flights.has(event.credential_key)) overlaps.push(event.run_id);
      flights.set(event.credential_key, event.run_id);
      keys.set(event.run_id, event.credential_key);
    } else if (event.kind !== 'ISSUED') {
      flights.delete(keys.get(event.run_id)!);
      ends.set(event.run_id, event.kind === 'FAILED' ? event.error.code : event.kind);
    }
  }
  return { overlaps, backwards, ends };
}

function countOf(words: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
