/** `cloud-cli completion`: a script that teaches a shell to complete cloud-cli, and what that script asks for. */
import { Argument, Command } from 'commander';
import { candidates } from './completion/candidates.js';
import { scripts } from './completion/scripts.js';
import { type Io, print } from './io.js';

/** `program` makes the whole program, whose shape is what there is to complete. */
export function completionCommand(io: Io, program: () => Promise<Command>): Command {
  return new Command('completion')
    .description('Print a script that completes commands, flags, credential keys, targets and runs.')
    .usage('<shell>')
    .addArgument(new Argument('<shell>', 'the shell that runs it').choices(Object.keys(scripts)))
    .addHelpText(
      'after',
      '\nExample:\n  source <(cloud-cli completion bash)\n  source <(cloud-cli completion zsh)\n  cloud-cli completion fish | source',
    )
    .action((shell: keyof typeof scripts) => print(io, scripts[shell].trim()))
    .addCommand(candidatesCommand(io, program), { hidden: true });
}

/** Nobody types it. Its first line says what follows: words, or that the shell is to complete a file or a command. */
function candidatesCommand(io: Io, program: () => Promise<Command>): Command {
  return new Command('candidates')
    .description('Print what the last of the words may become; for the scripts.')
    .argument('[words...]', 'the words behind cloud-cli, the one to complete last')
    .addHelpText('after', '\nExample:\n  cloud-cli completion candidates -- mint --prov')
    .action(async (words: string[]) => {
      // Whoever presses Tab asked for no error message.
      const found = await candidates(await program(), words, io.env).catch(() => undefined);
      if (found === undefined) return;
      if (found.kind === 'command') return print(io, `command ${found.at}`);
      if (found.kind === 'file') return print(io, `file ${found.prefix}`);
      const lines = found.words.map(({ word, about }) => `${word}\t${about.replace(/\s+/g, ' ')}`);
      print(io, ['words', ...lines].join('\n'));
    });
}
