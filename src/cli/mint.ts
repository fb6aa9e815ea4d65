/** `cloud-cli mint`: a credential minted, kept and recorded. */
import { Command } from 'commander';
import { openAuditStore } from '../audit/open.js';
import { loadSettings } from '../config.js';
import { mint } from '../mint.js';
import { defaultTimeoutSeconds } from '../request.js';
import { openCredentialStore } from '../stores/open.js';
import { untilInterrupted } from './interrupt.js';
import { type Io, printJson, printPairs } from './io.js';
import { addRequestFlags, requestOf } from './request-flags.js';
import { secondsOf } from './seconds.js';
import { mintingOf, withSpinner } from './spinner.js';
import { targetRequest } from './target.js';

export function mintCommand(io: Io): Command {
  const command = new Command('mint')
    .description('Mint a credential, keep it in the store and record the run in the ledger.')
    .argument('[target]', 'a named target of the configuration')
    .option(
      '--min-remaining <duration>',
      'Mint only when the stored credential lives shorter than this, such as 15m.',
    )
    .option('--json', 'Print one JSON document.')
    .addHelpText(
      'after',
      '\nExample:\n  cloud-cli mint --provider aws --target-credential-key idp:aws:prod \\\n    --role-arn arn:aws:iam::123456789012:role/deploy --json',
    )
    .action(async (target: string | undefined, options: Record<string, unknown>) => {
      const settings = loadSettings(io.env);
      const least = options.minRemaining as string | undefined;
      const min_remaining_seconds = least === undefined ? undefined : secondsOf(least, 'min_remaining');
      const request = await requestOf(options, io, targetRequest(settings, target));
      const store = await openCredentialStore(settings.store_url, { recipients: settings.age_recipients });
      const audit = await openAuditStore(settings.audit_url);
      try {
        const envelope = await untilInterrupted((signal) =>
          withSpinner(io, { words: mintingOf(secondsIn(request)), signal }, () =>
            mint(request, {
              persist: store.persist,
              ready: store.ready,
              stored: store.describe,
              audit,
              signal,
              policy: settings.allow,
              env: io.env,
              min_remaining_seconds,
              ...(settings.actor === undefined ? {} : { actor: settings.actor }),
            }),
          ),
        );
        if (options.json) printJson(io, envelope);
        else printPairs(io, { ...envelope });
      } finally {
        await audit.close();
        await store.close();
      }
    });
  return addRequestFlags(command);
}

/** What the spinner counts against; a value that is none will be refused. */
function secondsIn({ timeout_seconds }: Record<string, unknown>): number {
  return typeof timeout_seconds === 'number' ? timeout_seconds : defaultTimeoutSeconds;
}
