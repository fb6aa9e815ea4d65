/** `cloud-cli audit`: reads the ledger. */
import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { ChainedEvent } from '../audit/chain.js';
import { verifyAgainst } from '../audit/checkpoint.js';
import { type AuditStore, type RunFilter, sinceOf, type WorkloadRun } from '../audit/ledger.js';
import { eventsOf, lineOf } from '../audit/lines.js';
import { openAuditStore } from '../audit/open.js';
import { loadSettings } from '../config.js';
import { CloudCliError, invalidRequest } from '../errors.js';
import { Secret } from '../secret.js';
import { checkpointCommand } from './audit/checkpoint.js';
import { readSavedHeads } from './audit/saved-heads.js';
import { type Io, print, printJson, printPairs, readAll } from './io.js';
import { withCount } from './spinner.js';
import { printTable } from './table.js';

export function auditCommand(io: Io): Command {
  const audit = new Command('audit')
    .description(
      'Read the ledger: list and show runs, verify the chain, sign its head, export and import it, trace a credential.',
    )
    .addHelpText('after', '\nExample:\n  cloud-cli audit list --status FAILED --limit 5');
  audit.addCommand(listCommand(io));
  audit.addCommand(showCommand(io));
  audit.addCommand(verifyCommand(io));
  audit.addCommand(checkpointCommand(io));
  audit.addCommand(exportCommand(io));
  audit.addCommand(importCommand(io));
  audit.addCommand(traceCommand(io));
  return audit;
}

function listCommand(io: Io): Command {
  return new Command('list')
    .description('List runs, newest first.')
    .option('--provider <name>', 'Only runs of this provider.')
    .addOption(
      new Option('--status <status>', 'Only runs of this status.').choices([
        'PENDING',
        'SUCCEEDED',
        'FAILED',
      ]),
    )
    .option('--key <key>', 'Only runs of this credential key.')
    .option('--actor <actor>', 'Only runs of this actor.')
    .option('--since <time>', 'Only runs since this time, RFC 3339.', (since) => sinceOf({ since }))
    .option('--limit <number>', 'At most this many runs.', wholeNumber, 50)
    .option('--before <run-id>', 'The page that follows this run.')
    .option('--json', 'Print one JSON document.')
    .addHelpText('after', '\nExample:\n  cloud-cli audit list --provider aws --since 2026-11-01T00:00:00Z')
    .action(async ({ json, ...filter }: RunFilter & { json?: boolean }) => {
      const rows = await withLedger(io, async (ledger) => {
        if (filter.before !== undefined && !(await ledger.get(filter.before))) throw noSuchRun();
        return ledger.list(filter);
      });
      if (json) return printJson(io, rows);
      const cells = rows.map((row) => [
        row.created_at.replace(/\.\d+Z$/, 'Z'),
        row.status,
        row.error?.code,
        row.provider,
        row.credential_key,
        row.actor,
        row.run_id,
      ]);
      printTable(io, ['CREATED', 'STATUS', 'CODE', 'PROVIDER', 'KEY', 'ACTOR', 'RUN'], cells, {
        cut: ['ACTOR'],
        omit: ['PROVIDER', 'ACTOR', 'CREATED'],
      });
    });
}

function showCommand(io: Io): Command {
  return new Command('show')
    .description('Show one run.')
    .argument('<run-id>', 'the id of the run')
    .option('--json', 'Print one JSON document.')
    .addHelpText('after', '\nExample:\n  cloud-cli audit show 01936b1e-4c00-7000-8000-000000000000')
    .action(async (run_id: string, { json }: { json?: boolean }) => {
      const row = await withLedger(io, (ledger) => ledger.get(run_id));
      if (!row) throw noSuchRun();
      if (json) printJson(io, row);
      else printPairs(io, flat(row));
    });
}

function verifyCommand(io: Io): Command {
  return new Command('verify')
    .description('Check the whole chain of events: exit 0 only if nobody edited it.')
    .option(
      '--head <file>',
      'A head saved before, as --json prints it, or checkpoints: finds out whether the end was cut off since.',
    )
    .option('--public-key <file>', 'The key that must have signed the checkpoints.')
    .option('--json', 'Print one JSON document.')
    .addHelpText(
      'after',
      '\nExample:\n  cloud-cli audit verify --json >head.json\n  cloud-cli audit verify --head head.json\n  cloud-cli audit verify --head checkpoints.jws --public-key audit.key.pub',
    )
    .action(async ({ head, publicKey, json }: { head?: string; publicKey?: string; json?: boolean }) => {
      if (head === undefined && publicKey !== undefined) {
        throw invalidRequest(
          [{ field: 'public_key', message: 'goes with --head' }],
          'Name the file of the checkpoints that it signed: --head FILE',
        );
      }
      const saved = head === undefined ? undefined : await readSavedHeads(head, publicKey);
      const found = await withLedger(io, (ledger) =>
        withCount(io, 'verifying', (count) => verifyAgainst(ledger, saved?.heads ?? [], count)),
      );
      if (!found.ok) {
        throw new CloudCliError('audit_unavailable', `the ledger does not verify: ${found.problem}`, {
          hint: 'Somebody or something changed it: keep the file as evidence, and compare it with an export or a backup.',
        });
      }
      const { checkpoint } = saved ?? {};
      if (json) return printJson(io, { ...found, ...(checkpoint ? { checkpoint } : {}) });
      print(io, `verified ${found.events} events, head ${found.head.hash}`);
      if (checkpoint) print(io, `last checkpoint at event ${checkpoint.seq}, signed ${checkpoint.signed_at}`);
    });
}

function exportCommand(io: Io): Command {
  return new Command('export')
    .description('Print the whole chain as JSON lines: each event with its hash.')
    .addHelpText('after', '\nExample:\n  cloud-cli audit export >audit.jsonl')
    .action(() =>
      withLedger(io, async (ledger) => {
        const copy = async (count?: (events: number) => void) => {
          for await (const event of ledger.events()) {
            await write(io, lineOf(event));
            count?.(event.seq);
          }
        };
        // On the terminal that the lines go to, a spinner would stand among them.
        await (io.stdout.isTTY ? copy() : withCount(io, 'exporting', copy));
      }),
    );
}

function importCommand(io: Io): Command {
  return new Command('import')
    .description('Take over the chain of another ledger into this one, which must be empty: all or nothing.')
    .argument('<file>', 'what `cloud-cli audit export` printed, or - for standard input')
    .option('--json', 'Print one JSON document.')
    .addHelpText('after', '\nExample:\n  cloud-cli audit import audit.jsonl')
    .action(async (file: string, { json }: { json?: boolean }) => {
      const handle = file === '-' ? undefined : await openFile(file);
      // A ledger that refuses reads nothing, and a handle that nobody closes ends the process on newer Node.js.
      const chunks = handle?.createReadStream({ autoClose: false }) ?? io.stdin;
      const head = await withLedger(io, (ledger) =>
        withCount(io, 'importing', (count) => ledger.import(counted(eventsOf(chunks), count))),
      ).finally(() => handle?.close());
      if (json) printJson(io, head);
      else print(io, `imported ${head.seq} events, head ${head.hash}`);
    });
}

async function* counted(
  events: AsyncIterable<ChainedEvent>,
  count: (events: number) => void,
): AsyncIterable<ChainedEvent> {
  let done = 0;
  for await (const event of events) {
    yield event;
    done += 1;
    count(done);
  }
}

function traceCommand(io: Io): Command {
  return new Command('trace')
    .description('Say who minted a credential, why, for what and until when.')
    .argument(
      '<what>',
      'an access key id, session name, run id or fingerprint, or - for a token on standard input',
    )
    .option('--json', 'Print one JSON document.')
    .addHelpText(
      'after',
      '\nExample:\n  cloud-cli audit trace cloud-cli-01936b1e-4c00-7000-8000-000000000000\n  pbpaste | cloud-cli audit trace -',
    )
    .action(async (what: string, { json }: { json?: boolean }) => {
      const wanted = what === '-' ? new Secret((await readAll(io)).trim()).fingerprint() : what;
      const rows = await withLedger(io, (ledger) => ledger.trace(wanted));
      if (rows.length === 0) {
        throw new CloudCliError('not_found', 'no run of this ledger minted that', {
          hint:
            what === '-'
              ? 'Give the token whole and alone: printf %s "$TOKEN" | cloud-cli audit trace -'
              : 'Give a run id, session name, access key id or fingerprint whole, or a token on standard input with -.',
        });
      }
      if (json) return printJson(io, rows);
      rows.forEach((row, index) => {
        if (index > 0) print(io, '');
        printPairs(io, Object.fromEntries(told.map((name) => [name, row[name]])));
      });
    });
}

/** What an investigator asks first. */
const told = [
  'run_id',
  'status',
  'actor',
  'reason',
  'provider',
  'credential_key',
  'source_identity',
  'created_at',
  'live_until',
] as const satisfies readonly (keyof WorkloadRun)[];

/** Opened before the ledger, so that a wrong name makes none. */
async function openFile(file: string): Promise<FileHandle> {
  try {
    const handle = await open(file);
    if (!(await handle.stat()).isDirectory()) return handle;
    await handle.close();
    throw Object.assign(new Error(), { code: 'EISDIR' });
  } catch (error) {
    throw invalidRequest(
      [{ field: 'file', message: `cannot be read (${(error as NodeJS.ErrnoException).code})` }],
      'Name a file that `cloud-cli audit export` wrote, or - for standard input.',
    );
  }
}

/** Waits where the reader is slower than we are, so that memory stays flat. */
async function write(io: Io, text: string): Promise<void> {
  if (!io.stdout.write(text)) await once(io.stdout, 'drain');
}

function noSuchRun(): CloudCliError {
  return new CloudCliError('not_found', 'the ledger has no such run', {
    hint: 'List the runs with `cloud-cli audit list`.',
  });
}

async function withLedger<T>(io: Io, work: (ledger: AuditStore) => Promise<T>): Promise<T> {
  const ledger = await openAuditStore(loadSettings(io.env).audit_url);
  try {
    return await work(ledger);
  } finally {
    await ledger.close();
  }
}

/** A row as lines: nested members by their path, lists as JSON. */
function flat(row: WorkloadRun): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).flatMap(([name, value]): [string, unknown][] => {
      if (Array.isArray(value)) return [[name, JSON.stringify(value)]];
      if (value !== null && typeof value === 'object')
        return Object.entries(value).map(([member, inner]) => [`${name}.${member}`, inner]);
      return [[name, value]];
    }),
  );
}

function wholeNumber(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number above 0.');
  return Number(text);
}
