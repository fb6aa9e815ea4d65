/** `cloud-cli doctor`: whether this host can mint, and what to do where it cannot. */
import { Command, Option } from 'commander';
import { diagnose, exitStatusOf, type Finding } from '../doctor.js';
import { listHandlers } from '../request.js';
import { untilInterrupted } from './interrupt.js';
import { ExitStatus, type Io, print, printJson } from './io.js';
import { withSpinner } from './spinner.js';

export function doctorCommand(io: Io): Command {
  return new Command('doctor')
    .description('Check this host: home, ledger, store and vendor CLIs. Exit 0 only if nothing is a problem.')
    .addOption(
      new Option('--provider <name>', 'Only the vendor CLI of this provider, which must be there.').choices(
        listHandlers().map(({ name }) => name),
      ),
    )
    .option('--live', 'Ask each vendor CLI for its parent identity too.')
    .option('--json', 'Print one JSON document.')
    .addHelpText('after', '\nExample:\n  cloud-cli doctor --provider aws --live')
    .action(async ({ provider, live, json }: { provider?: string; live?: boolean; json?: boolean }) => {
      const findings = await untilInterrupted((signal) =>
        withSpinner(io, { words: (elapsed) => `checking, ${elapsed} s`, signal }, () =>
          diagnose({ env: io.env, provider, live, signal }),
        ),
      );
      if (json) printJson(io, findings);
      else printFindings(io, findings);
      // As a mint would fail, so that a script need not read the text.
      const status = exitStatusOf(findings);
      if (status !== 0) throw new ExitStatus(status);
    });
}

/** One line a finding, and its hint below it. */
function printFindings(io: Io, findings: readonly Finding[]): void {
  const width = Math.max(...findings.map(({ check }) => check.length));
  for (const { status, check, message, hint } of findings) {
    print(io, `${status.padEnd(7)}  ${check.padEnd(width)}  ${message}`);
    if (hint !== undefined) print(io, `${' '.repeat(width + 11)}hint: ${hint}`);
  }
}
