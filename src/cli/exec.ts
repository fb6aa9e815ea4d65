/** `cloud-cli exec`: a command with credentials in its environment. */
import { Command } from 'commander';
import { loadSettings } from '../config.js';
import { invalidRequest } from '../errors.js';
import { runInForeground } from '../foreground.js';
import { useEnvironment } from '../formats.js';
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
      throw new ExitStatus(await runInForeground(child, useEnvironment(io.env, credentials)));
    });
}
