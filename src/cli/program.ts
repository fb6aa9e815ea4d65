/** The command line's shape: every command, and what they share. */
import { Command } from 'commander';
import { version } from '../version.js';
import { auditCommand } from './audit.js';
import { completionCommand } from './completion.js';
import { credentialProcessCommand } from './credential-process.js';
import { credentialsCommand } from './credentials.js';
import { doctorCommand } from './doctor.js';
import { execCommand } from './exec.js';
import { handlersCommand } from './handlers.js';
import type { Io } from './io.js';
import { keepCommand } from './keep.js';
import { mintCommand } from './mint.js';
import { previewCommand } from './preview.js';
import { serveCommand } from './serve.js';
import { wizardCommand } from './wizard.js';

/** The whole program, writing to `io` and throwing CommanderError instead of exiting; `child` is for `exec`. */
export function buildProgram(io: Io, child: readonly string[] = []): Command {
  const program = new Command('cloud-cli')
    .description("Mint short-lived AWS, GCP and Azure credentials through the vendors' own CLIs.")
    .version(version, '-V, --version', 'Print the version.')
    .helpCommand('help [command]', 'Show the help of a command.')
    .addHelpText(
      'after',
      '\nExample:\n  cloud-cli mint --provider aws --target-credential-key idp:aws:prod \\\n    --role-arn arn:aws:iam::123456789012:role/deploy',
    );
  const commands = [
    handlersCommand(io),
    previewCommand(io),
    mintCommand(io),
    wizardCommand(io),
    execCommand(io, child),
    credentialProcessCommand(io),
    credentialsCommand(io),
    auditCommand(io),
    keepCommand(io),
    serveCommand(io),
    doctorCommand(io),
    // Last: it reads the others.
    completionCommand(io, () => program),
  ];
  for (const command of commands) program.addCommand(command);
  for (const command of everyCommand(program)) {
    command
      .helpOption('-h, --help', 'Show this help.')
      .exitOverride()
      .showSuggestionAfterError()
      .configureOutput({
        writeOut: (text) => io.stdout.write(text),
        writeErr: (text) => io.stderr.write(text),
        // main reports it, in the one form that all errors have.
        outputError: () => {},
      });
  }
  return program;
}

/** A command and all below it. */
export function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}
