/** `cloud-cli handlers`: the providers, their fields, and whether each vendor CLI is on this host. */
import { Command } from 'commander';
import { describeHandlers } from '../providers.js';
import { type Io, printJson } from './io.js';
import { printTable } from './table.js';

export function handlersCommand(io: Io): Command {
  return new Command('handlers')
    .description('List the providers, and whether each vendor CLI is on this host.')
    .option('--json', 'Print one JSON document, with every field.')
    .addHelpText('after', '\nExample:\n  cloud-cli handlers --json')
    .action((options: { json?: boolean }) => {
      const rows = describeHandlers(io.env);
      if (options.json) return printJson(io, rows);
      const table = rows.map((row) => [
        row.provider,
        row.binary,
        row.binary_present ? 'yes' : 'no',
        row.title,
      ]);
      printTable(io, ['PROVIDER', 'BINARY', 'PRESENT', 'TITLE'], table);
    });
}
