/** `cloud-cli wizard`: asks for a request, shows what it would run, and mints it. */
import { Command } from 'commander';
import { invalidRequest } from '../errors.js';
import { ExitStatus, type Io, isInteractive } from './io.js';

export function wizardCommand(io: Io): Command {
  return new Command('wizard')
    .description('Ask for a request field by field, show the exact command, and mint.')
    .addHelpText('after', '\nExample:\n  cloud-cli wizard')
    .action(async () => {
      const status = await runWizard(io);
      if (status !== 0) throw new ExitStatus(status);
    });
}

/** Whether the wizard can talk to a person: it asks on stderr, and its result goes to stdout. */
export function canAsk(io: Io): boolean {
  return isInteractive(io) && io.stdout.isTTY === true;
}

/**
 * Holds the whole conversation and resolves to the exit status.
 * @throws CloudCliError `invalid_request` off a terminal, or when the configuration cannot be read
 */
export async function runWizard(io: Io): Promise<number> {
  if (!canAsk(io)) {
    throw invalidRequest(
      [{ field: 'stdin', message: 'is not a terminal, and the wizard asks questions' }],
      'Use `cloud-cli mint` with flags; `cloud-cli mint --help` lists them.',
    );
  }
  // Prompts take long to load, and no other command has a use for them.
  const { converse } = await import('./wizard/conversation.js');
  return converse(io);
}
