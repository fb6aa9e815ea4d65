/** What must hold after any fault, seen from a process that had no part in it. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { canaries, homeOf, keyOf, lifetimeSeconds, refusing, successes } from './scenario.mjs';

const { CredentialKey, openAuditStore, openCredentialStore, Secret } = await import('@alphaswarm/cloud-cli');

/** Seconds that an attempt may take: the clocks of the vendor and of the store at the suite's pace, and the machine. */
const boundSeconds = 30;
/** The vendor counts whole seconds. */
const slackMs = 2000;

/**
 * The sentences that are not true, none where all is well.
 *
 * `schedule` and `results` tell what was done, `output` what was printed, and `started` when, by the true clock. Of a
 * power cut, `spawned: false` says that it came before the spawn; `acknowledged` are the events whose `append` had
 * resolved, and `persisted` the run whose `persist` had.
 */
export async function broken(facts) {
  const { directory, schedule, results, output = '' } = facts;
  const found = [...results.flatMap(brokenAnswer), ...leaksIn(homeOf(directory))];
  if (holdsCanary(output + JSON.stringify(results))) found.push('a secret is in what the process said');
  const isDamaged = schedule.faults.some(({ flip }) => flip);
  let audit;
  try {
    audit = await openAuditStore(`sqlite:${join(homeOf(directory), 'audit.sqlite')}`);
  } catch (error) {
    return isDamaged ? found : [...found, `the ledger does not open again: ${error.message}`];
  }
  if (!isDamaged) found.push(...brokenLater(facts));
  try {
    const ledger = await read(audit);
    const heads = results.flatMap(({ head }) => head ?? []);
    const intact = ledger.ok && (await verifiesAgainst(audit, heads));
    // What a bad disk has done to it must show, and nothing more can be asked of it.
    if (!intact)
      return isDamaged ? found : [...found, ledger.problem ?? 'the ledger does not have its saved head'];
    // The end of the chain may be lost to it, which shows only against a head that was saved after it.
    if (isDamaged && !results.some(({ head, again, another, rival }) => head && !(again || another || rival)))
      return found;
    found.push(...brokenRuns(ledger, facts), ...(await survivors(facts)));
    for (const { envelope } of results) if (envelope) found.push(...brokenSuccess(ledger, envelope));
    found.push(...(await brokenStore(ledger, facts, isDamaged)));
  } finally {
    await audit.close();
  }
  return [...found, ...leaksIn(homeOf(directory))];
}

async function read(audit) {
  try {
    const verified = await audit.verify();
    const events = [];
    for await (const { body } of audit.events()) events.push(JSON.parse(body));
    const rows = new Map((await audit.list()).map((row) => [row.run_id, row]));
    const runs = new Map();
    for (const event of events) runs.set(event.run_id, [...(runs.get(event.run_id) ?? []), event]);
    return { ok: verified.ok, problem: verified.problem, events, rows, runs };
  } catch (error) {
    return { ok: false, problem: `the ledger cannot be read: ${error.message}` };
  }
}

async function verifiesAgainst(audit, heads) {
  for (const head of heads) if (!(await audit.verify(head)).ok) return false;
  return true;
}

function brokenAnswer({ error, closing, seconds }) {
  const found = [];
  if (closing) found.push(`closing threw: ${closing}`);
  if (seconds > boundSeconds) found.push(`it took ${seconds} s`);
  if (!error) return found;
  if (error.name !== 'CloudCliError') found.push(`not a failure of ours: ${error.text}`);
  else if (error.code === 'internal') found.push(`a defect: ${error.text}`);
  return found;
}

/** Once the fault is gone, the same run again is its success or a conflict, and another mint succeeds. */
function brokenLater({ schedule, results }) {
  const issues = Object.values(successes).includes(schedule.scenario.word);
  const first = results.find(({ again, another, rival }) => !(again || another || rival));
  return results.flatMap(({ again, another, envelope, error }) => {
    if (again && first?.envelope && envelope?.audit_run_id !== first.envelope.audit_run_id)
      return [`the same run again is not its success, but ${error?.code}`];
    if (issues && again && !envelope && error.code !== 'conflict')
      return [`the same run again: ${error.text}`];
    return issues && another && !envelope ? [`another mint of the key fails: ${error.text}`] : [];
  });
}

/** Each run's events are in order, it has one end, and what it says of the cloud is not less than what there is. */
function brokenRuns(
  { events, rows, runs },
  { directory, schedule, results, started, spawned = true, acknowledged = [] },
) {
  const found = [];
  const spawns = spawned ? callsIn(directory).map(({ env }) => env.CLOUD_CLI_RUN_ID) : [];
  for (const run_id of new Set(spawns)) {
    if (!runs.has(run_id)) found.push('a vendor process was spawned for a run that is not in the ledger');
    if (spawns.filter((id) => id === run_id).length > 1) found.push('one run was spawned twice');
  }
  for (const [run_id, own] of runs) {
    const order = own.map(({ kind }) => kind).join(' ');
    if (!/^PENDING( ISSUED)?( SUCCEEDED| FAILED)?$/.test(order)) found.push(`a run has the events ${order}`);
    else if (!/SUCCEEDED|FAILED/.test(order)) found.push('a run of a process that is gone is still PENDING');
    const row = rows.get(run_id);
    if (!row) {
      found.push('a run is not in the list');
      continue;
    }
    if (row.duration_ms !== null && row.duration_ms < 0) found.push('a run took less than no time');
    if (!spawns.includes(run_id) || refusing.includes(schedule.scenario.word)) continue;
    const told = results
      .filter(({ error }) => error?.audit_run_id === run_id)
      .map(({ error }) => error.outcome);
    for (const outcome of [row.outcome, ...told])
      if (outcome === 'not_issued' || outcome === undefined)
        found.push(`${outcome}, but the vendor was asked`);
    // gcloud names no end of its token: it is counted by this host's clock, wherever that was set.
    if (row.expires_at !== null && schedule.scenario.provider === 'gcp' && isStepped(schedule)) continue;
    const least = started + lifetimeSeconds * 1000 - slackMs;
    if (row.outcome !== null && row.outcome !== 'not_issued' && !(Date.parse(row.live_until) >= least))
      found.push(
        `live_until is ${(least - Date.parse(row.live_until)) / 1000} s before the credential's end`,
      );
  }
  for (const { kind, run_id } of acknowledged)
    if (!runs.get(run_id)?.some((event) => event.kind === kind))
      found.push(`${kind} was answered for, and is lost`);
  return [...found, ...overlaps(events)];
}

/** Vendor processes that outlived their runs. One that was killed may take a moment. */
async function survivors({ directory }) {
  const pids = callsIn(directory).map(({ pid }) => pid);
  for (let tries = 0; tries < 40 && pids.some(isRunning); tries += 1) await sleep(50);
  return pids.filter(isRunning).map(() => 'a vendor process outlived its run');
}

/** What the stand-ins were asked. */
function callsIn(directory) {
  const record = join(directory, 'record');
  const lines = existsSync(record) ? readFileSync(record, 'utf8').split('\n').slice(0, -1) : [];
  return lines.map((line) => JSON.parse(line));
}

/** Not only waiting to be reaped. */
function isRunning(pid) {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function isStepped({ faults }) {
  return faults.some(({ clock }) => clock === 'Date');
}

/** Two runs of one key are never in flight at once. */
function overlaps(events) {
  const flying = new Map();
  const found = [];
  for (const { kind, run_id, credential_key } of events) {
    if (kind === 'PENDING') {
      if (flying.has(credential_key)) found.push('two runs of one key were in flight at once');
      flying.set(credential_key, run_id);
    } else if (kind !== 'ISSUED') {
      for (const [key, id] of flying) if (id === run_id) flying.delete(key);
    }
  }
  return found;
}

function brokenSuccess({ rows }, envelope) {
  const row = rows.get(envelope.audit_run_id);
  if (row?.status !== 'SUCCEEDED')
    return [`a success was answered, and its row is ${row?.status ?? 'not there'}`];
  return row.expires_at === envelope.expires_at && row.source_identity === envelope.source_identity
    ? []
    : ['the row of a success tells something else than its answer'];
}

/** The store has one whole credential of a run that issued it: the newest that succeeded, or a newer one. */
async function brokenStore({ rows, runs }, { directory, schedule, persisted }, isDamaged) {
  const key = CredentialKey.parse(keyOf(schedule.scenario.provider));
  let credential;
  try {
    const store = await openCredentialStore(`file:${join(homeOf(directory), 'credentials')}`);
    credential = await store.read(key);
  } catch (error) {
    return isDamaged ? [] : [`the store cannot be read: ${error.message}`];
  }
  const order = [...runs.keys()];
  const succeeded = order.filter((id) => rows.get(id)?.status === 'SUCCEEDED').at(-1);
  if (!credential) {
    if (isDamaged) return [];
    if (persisted) return ['persist had answered, and the store is empty'];
    return succeeded ? ['a run succeeded, and the store is empty'] : [];
  }
  const found = [];
  const row = rows.get(credential.audit_run_id);
  if (!row) return ['the store has a credential of a run that is not in the ledger'];
  if (succeeded && order.indexOf(row.run_id) < order.indexOf(succeeded))
    found.push('the newest run that succeeded is not the one in the store');
  if (persisted && order.indexOf(row.run_id) < order.indexOf(persisted))
    found.push('persist had answered, and the store has an older credential');
  if (row.outcome !== 'issued')
    found.push(`the store has the credential of a run whose outcome is ${row.outcome}`);
  const parts = Object.entries(credential).filter(([, part]) => part instanceof Secret);
  const prints = Object.fromEntries(parts.map(([name, part]) => [name, part.fingerprint()]));
  if (JSON.stringify(prints) !== JSON.stringify(row.fingerprints))
    found.push('the store has another credential than the ledger tells of');
  return found;
}

/** Every form in which a secret could lie in a file: as it is, in base64 at each of its three places, in hexadecimal. */
const forms = Object.values(canaries).flatMap((canary) => [
  canary,
  Buffer.from(canary).toString('hex'),
  ...[0, 1, 2].map((shift) =>
    Buffer.from(`${'x'.repeat(shift)}${canary}`)
      .toString('base64')
      .slice(shift === 0 ? 0 : 4, -4),
  ),
]);

function holdsCanary(text) {
  return forms.some((form) => text.includes(form));
}

function leaksIn(home) {
  if (!existsSync(home)) return [];
  const found = [];
  for (const name of readdirSync(home, { recursive: true, encoding: 'utf8' })) {
    const path = join(home, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) continue;
    if ((stat.mode & 0o077) !== 0) found.push(`${name} is open to others`);
    if (stat.isFile() && holdsCanary(readFileSync(path, 'latin1'))) found.push(`a secret is in ${name}`);
  }
  return found;
}
