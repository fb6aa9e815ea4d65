/** The ledger: whether it opens, takes a write, and verifies; and who holds it where it does not. */
import { dirname, join, resolve } from 'node:path';
import { openAuditStore } from '../audit/open.js';
import { postgresName } from '../audit/postgres-url.js';
import { isCloudCliError } from '../errors.js';
import { holdersOf, nameOf } from '../process-table.js';
import { shellWord } from '../shell.js';
import { beside, isThere } from './beside.js';
import { type Finding, ok, problem } from './finding.js';
import { changeableBy, lookAt } from './owner.js';

/** Milliseconds to wait for a lock: a mint holds it for a few. */
const lockMs = 2000;

export async function ledgerFinding(url: string): Promise<Finding> {
  const [, given] = /^sqlite:(.+)$/s.exec(url) ?? [];
  const path = given === undefined ? undefined : resolve(given);
  try {
    if (path === undefined) return await verified(url);
    if (!isThere(path)) return await trial(path);
    const found = await verified(url);
    await takeWriteLock(path);
    return directoryFinding(dirname(path)) ?? found;
  } catch (error) {
    if (path !== undefined && isLocked(error)) return locked(path);
    if (isCloudCliError(error)) return refusal(error.message, error.hint);
    const { code } = error as NodeJS.ErrnoException;
    if (path === undefined || code === undefined) throw error;
    return refusal(
      `the ledger ${path} cannot be ${isThere(path) ? 'written' : 'made'} (${code})`,
      `Nothing is minted without a ledger. Check ${path}: its file system, owner, mode and free space.`,
    );
  }
}

/** Whoever can write there can put another ledger in the place of this one. */
function directoryFinding(directory: string): Finding | undefined {
  const found = lookAt(directory);
  const changeable = found && changeableBy(directory, found);
  return changeable && refusal(`the ledger's directory ${directory} ${changeable.how}`, changeable.hint);
}

async function verified(url: string): Promise<Finding> {
  const ledger = await openAuditStore(url);
  try {
    const found = await ledger.verify();
    // A file's write lock has a look of its own; a server may be a standby, or its role one that only reads.
    if (found.ok && !url.startsWith('sqlite:')) await ledger.ready();
    if (found.ok) return ok('ledger', `${nameOfLedger(url)}: verified, events: ${found.events}`);
    return refusal(
      `the ledger does not verify: ${found.problem}`,
      'Somebody or something changed it: keep the file as evidence, and compare it with an export or a backup.',
    );
  } finally {
    await ledger.close();
  }
}

/** Where there is no ledger yet, another one in its place tells whether one can be. */
async function trial(path: string): Promise<Finding> {
  const made = await beside(path, (directory) => verified(`sqlite:${join(directory, 'audit.sqlite')}`));
  return made.status === 'ok' ? ok('ledger', `${path} is not there yet; the first mint makes it`) : made;
}

/** A reader gets past another process's lock, a mint does not. */
async function takeWriteLock(path: string): Promise<void> {
  const { default: Database } = await import('better-sqlite3');
  const db = new Database(path, { fileMustExist: true, timeout: lockMs });
  try {
    db.exec('BEGIN IMMEDIATE; ROLLBACK');
  } finally {
    db.close();
  }
}

/** SQLite's own error, or what the ledger makes of it. */
function isLocked(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return code?.startsWith('SQLITE_BUSY') === true || message?.includes('(SQLITE_BUSY') === true;
}

function locked(path: string): Finding {
  const holders = holdersOf([path, `${path}-wal`, `${path}-shm`]);
  if (holders.length === 0) {
    return refusal(
      `the ledger ${path} is locked by another process`,
      `See by which with \`lsof ${shellWord(path)}\`, and end it or wait for it.`,
    );
  }
  return refusal(
    `the ledger ${path} is locked by process ${holders.map((pid) => `${pid} (${nameOf(pid)})`).join(', ')}`,
    `See what it does with \`ps -fp ${holders.join(',')}\`, and end it or wait for it.`,
  );
}

function refusal(message: string, hint: string): Finding {
  return problem('ledger', message, hint, 'audit_unavailable');
}

/** Without user, password and parameters, where there are any. */
function nameOfLedger(url: string): string {
  return url.startsWith('sqlite:') ? url : postgresName(url);
}
