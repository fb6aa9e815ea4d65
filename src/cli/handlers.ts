/** `cloud-cli handlers`: the providers, their fields, and whether each vendor CLI is on this host. */
import { Command } from 'commander';
import { locate } from '../locate.js';
import { fieldsOf, listHandlers } from '../request.js';
import { type Io, printJson, printTable } from './io.js';

export function handlersCommand(io: Io): Command {
  return new Command('handlers')
    .description('List the providers, and whether each vendor CLI is on this host.')
    .option('--json', 'Print one JSON document, with every field.')
    .addHelpText('after', '\nExample:\n  cloud-cli handlers --json')
    .action((options: { json?: boolean }) => {
      const rows = listHandlers().map((handler) => ({
        provider: handler.name,
        title: handler.title,
        binary: handler.binary,
        binary_present: locate(handler.binary, io.env.PATH) !== undefined,
        fields: fieldsOf(handler),
      }));
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
