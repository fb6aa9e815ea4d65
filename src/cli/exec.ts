/** `cloud-cli exec`: a command with credentials in its environment. */
import { Command } from 'commander';
import { loadSettings } from '../config.js';
import { invalidRequest } from '../errors.js';
import { runInForeground } from '../foreground.js';
import { useEnvironment } from '../formats.js';
import { shellWord } from '../shell.js';
import { ExitStatus, type Io } from './io.js';
import { resolveKeys } from './stored.js';

/** `child` is what stood behind `--`. */
export function execCommand(io: Io, child: readonly string[]): Command {
  return new Command('exec')
    .description('Run a command with stored credentials in its environment; never without them.')
    .usage('<key...> -- <command...>')
    .argument('<key...>', 'credential keys, each of another provider')
    .addHelpText('after', '\nExample:\n  cloud-cli exec idp:aws:prod -- aws sts get-caller-identity')
    .action(async (keys: string[]) => {
      if (child.length === 0) {
        throw invalidRequest(
          [{ field: 'command', message: 'is required behind --' }],
          'Write: cloud-cli exec KEY -- COMMAND ...',
        );
      }
      const twice = keys.find((key, index) => keys.indexOf(key) !== index);
      if (twice !== undefined) {
        throw invalidRequest([{ field: 'key', message: `${twice} is given twice` }], 'Give each key once.');
      }
      const credentials = await resolveKeys(loadSettings(io.env), keys);
      const { status, why } = await runInForeground(child, useEnvironment(io.env, credentials));
      throw new ExitStatus(status, why === undefined ? undefined : notRun(child[0]!, why));
    });
}

function notRun(command: string, why: string): { error: string; hint: string } {
  const shown = shellWord(command);
  const isPath = command.includes('/');
  if (why !== 'ENOENT') {
    const hint = 'It must be a file that you may execute: see `ls -l` of it, and `chmod +x`.';
    return { error: `${shown} cannot be executed (${why})`, hint };
  }
  return {
    error: `${shown} is not found${isPath ? '' : ' on PATH'}`,
    hint: isPath
      ? 'Check the path; of a script, that of the interpreter in its first line too.'
      : 'Check its name and PATH; what only your shell knows, such as an alias, runs as: cloud-cli exec KEY -- bash -ic ...',
  };
}
