/** `cloud-cli preview`: the exact command a mint would run. */
import { Command } from 'commander';
import { loadSettings } from '../config.js';
import { preview } from '../preview.js';
import { type Io, printJson, printPairs, say } from './io.js';
import { addRequestFlags, requestOf } from './request-flags.js';
import { targetRequest } from './target.js';

export function previewCommand(io: Io): Command {
  const command = new Command('preview')
    .description('Show the exact command that a mint would run, masked, and run nothing.')
    .argument('[target]', 'a named target of the configuration')
    .option('--json', 'Print one JSON document.')
    .addHelpText(
      'after',
      '\nExample:\n  cloud-cli preview --provider gcp --target-credential-key idp:gcp:prod \\\n    --service-account-email minter@my-project.iam.gserviceaccount.com',
    )
    .action(async (target: string | undefined, options: Record<string, unknown>) => {
      const settings = loadSettings(io.env);
      const request = await requestOf(options, io, targetRequest(settings, target));
      const shown = await preview(request, {
        env: io.env,
        policy: settings.allow,
        binaries: settings.binaries,
        ...(settings.actor === undefined ? {} : { actor: settings.actor }),
      });
      if (options.json) return printJson(io, shown);
      const { problem, policy, argv: _, ...rest } = shown;
      printPairs(io, {
        ...rest,
        ...(policy
          ? { policy: policy.allowed ? `allowed by rule ${policy.rule}` : 'denied: no allow rule covers it' }
          : {}),
      });
      if (problem) {
        say(io, 'warning', problem.message);
        say(io, 'hint', problem.hint);
      }
    });
  return addRequestFlags(command);
}
