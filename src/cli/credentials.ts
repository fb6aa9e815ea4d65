/** `cloud-cli credentials`: what the store holds, without its secrets. */
import { Command } from 'commander';
import { loadSettings } from '../config.js';
import { CloudCliError } from '../errors.js';
import { CredentialKey } from '../key.js';
import { type Io, print, printJson, printPairs } from './io.js';
import { withStore } from './stored.js';
import { printTable } from './table.js';
import { timeLeft } from './time-left.js';

export function credentialsCommand(io: Io): Command {
  const credentials = new Command('credentials')
    .description('List, show and remove stored credentials; their secrets stay where they are.')
    .addHelpText('after', '\nExample:\n  cloud-cli credentials list');
  for (const command of [listCommand(io), showCommand(io), removeCommand(io)])
    credentials.addCommand(command);
  return credentials;
}

function listCommand(io: Io): Command {
  return new Command('list')
    .description('List the stored credentials.')
    .option('--json', 'Print one JSON document.')
    .addHelpText('after', '\nExample:\n  cloud-cli credentials list --json')
    .action(async ({ json }: { json?: boolean }) => {
      const found = await withStore(loadSettings(io.env), (store) => store.list());
      if (json) return printJson(io, found);
      const rows = found.map((row) => [
        row.credential_key,
        row.provider,
        timeLeft(row),
        row.source_identity,
        row.audit_run_id,
      ]);
      printTable(io, ['KEY', 'PROVIDER', 'LEFT', 'IDENTITY', 'RUN'], rows, {
        cut: [],
        omit: ['PROVIDER', 'RUN'],
      });
    });
}

function showCommand(io: Io): Command {
  return new Command('show')
    .description('Show one stored credential.')
    .argument('<key>', 'the credential key')
    .option('--json', 'Print one JSON document.')
    .addHelpText('after', '\nExample:\n  cloud-cli credentials show idp:aws:prod')
    .action(async (text: string, { json }: { json?: boolean }) => {
      const key = CredentialKey.parse(text);
      const found = await withStore(loadSettings(io.env), (store) => store.describe(key));
      if (!found) throw notFound(key);
      if (json) printJson(io, found);
      else printPairs(io, { ...found, time_left: timeLeft(found) });
    });
}

function removeCommand(io: Io): Command {
  return new Command('remove')
    .description('Remove a stored credential; what the cloud issued lives on until it expires.')
    .argument('<key>', 'the credential key')
    .option('--json', 'Print one JSON document.')
    .addHelpText('after', '\nExample:\n  cloud-cli credentials remove idp:aws:prod')
    .action(async (text: string, { json }: { json?: boolean }) => {
      const key = CredentialKey.parse(text);
      const removed = await withStore(loadSettings(io.env), (store) => store.remove(key));
      if (!removed) throw notFound(key);
      if (json) printJson(io, { credential_key: key, removed });
      else print(io, `removed ${key}`);
    });
}

function notFound(key: CredentialKey): CloudCliError {
  return new CloudCliError('not_found', `the store holds no ${key}`, {
    hint: 'List the stored credentials with `cloud-cli credentials list`.',
  });
}
