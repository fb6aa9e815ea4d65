/** The command line's shape: every command, and what they share. */
import { Command } from 'commander';
import { version } from '../version.js';
import type { Io } from './io.js';

interface Parts {
  io: Io;
  /** What stood behind `--`, for `exec`. */
  child: readonly string[];
}

/** Every command by its name, in the order of the help. Each is loaded when it is asked for: a start waits for one. */
const commands: Readonly<Record<string, (parts: Parts) => Promise<Command>>> = {
  handlers: async ({ io }) => (await import('./handlers.js')).handlersCommand(io),
  preview: async ({ io }) => (await import('./preview.js')).previewCommand(io),
  mint: async ({ io }) => (await import('./mint.js')).mintCommand(io),
  wizard: async ({ io }) => (await import('./wizard.js')).wizardCommand(io),
  exec: async ({ io, child }) => (await import('./exec.js')).execCommand(io, child),
  'credential-process': async ({ io }) =>
    (await import('./credential-process.js')).credentialProcessCommand(io),
  credentials: async ({ io }) => (await import('./credentials.js')).credentialsCommand(io),
  audit: async ({ io }) => (await import('./audit.js')).auditCommand(io),
  keep: async ({ io }) => (await import('./keep.js')).keepCommand(io),
  serve: async ({ io }) => (await import('./serve.js')).serveCommand(io),
  doctor: async ({ io }) => (await import('./doctor.js')).doctorCommand(io),
  completion: async ({ io }) =>
    (await import('./completion.js')).completionCommand(io, () => buildProgram(io)),
};

/**
 * The program, writing to `io` and throwing CommanderError instead of exiting: whole, or where `name` is a command's,
 * with that command alone; for the version, with none.
 */
export async function buildProgram(io: Io, child: readonly string[] = [], name?: string): Promise<Command> {
  const program = new Command('cloud-cli')
    .description("Mint short-lived AWS, GCP and Azure credentials through the vendors' own CLIs.")
    .version(version, '-V, --version', 'Print the version.')
    .addHelpText(
      'after',
      '\nExample:\n  cloud-cli mint --provider aws --target-credential-key idp:aws:prod \\\n    --role-arn arn:aws:iam::123456789012:role/deploy',
    );
  for (const each of commandsFor(name)) program.addCommand(await commands[each]!({ io, child }));
  for (const command of everyCommand(program)) {
    // Of a command with an argument, help would be one more value of it.
    if (command.commands.length > 0 && command.registeredArguments.length === 0)
      command.helpCommand('help [command]', 'Show the help of a command.');
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

function commandsFor(name: string | undefined): string[] {
  if (name === '-V' || name === '--version') return [];
  return name !== undefined && Object.hasOwn(commands, name) ? [name] : Object.keys(commands);
}

/** A command and all below it. */
export function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}
