/** `cloud-cli credential-process`: what an AWS profile's `credential_process` runs. */
import { Command } from 'commander';
import { loadSettings } from '../config.js';
import { invalidRequest } from '../errors.js';
import { credentialProcess } from '../formats.js';
import { type Io, print } from './io.js';
import { resolveKeys } from './stored.js';

export function credentialProcessCommand(io: Io): Command {
  return new Command('credential-process')
    .description(
      'Print a stored AWS credential for an AWS profile; never to a terminal, and never a new one.',
    )
    .argument('<key>', 'the credential key')
    .addHelpText(
      'after',
      '\nExample, in ~/.aws/config:\n  [profile prod]\n  credential_process = cloud-cli credential-process idp:aws:prod',
    )
    .action(async (key: string) => {
      if (io.stdout.isTTY) {
        throw invalidRequest(
          [{ field: 'stdout', message: 'is a terminal, and this prints a secret' }],
          'Let an AWS profile run it as its credential_process.',
        );
      }
      const [credential] = await resolveKeys(loadSettings(io.env), [key]);
      print(io, credentialProcess(credential!));
    });
}
