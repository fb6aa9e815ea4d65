/** `cloud-cli mint`: a credential minted, kept and recorded. */
import { Command } from 'commander';
import { openAuditStore } from '../audit/open.js';
import { loadSettings } from '../config.js';
import type { CredentialMetadata } from '../credential.js';
import { type CloudCliError, isCloudCliError } from '../errors.js';
import { mint } from '../mint.js';
import { defaultTimeoutSeconds } from '../request.js';
import { openCredentialStore } from '../stores/open.js';
import { untilInterrupted } from './interrupt.js';
import { type Io, printJson, printPairs, say } from './io.js';
import { addRequestFlags, requestOf } from './request-flags.js';
import { secondsOf } from './seconds.js';
import { mintingOf, withSpinner } from './spinner.js';
import { targetRequest } from './target.js';
import { sayLeft } from './time-left.js';

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
      const audit = await openAuditStore(settings.audit_url).catch(notIssued);
      let stored: CredentialMetadata | undefined;
      try {
        const envelope = await untilInterrupted((signal) =>
          withSpinner(io, { words: mintingOf(secondsIn(request)), signal }, () =>
            mint(request, {
              persist: store.persist,
              ready: store.ready,
              stored: async (key) => {
                stored = await store.describe(key);
                return stored;
              },
              audit,
              signal,
              policy: settings.allow,
              binaries: settings.binaries,
              env: io.env,
              min_remaining_seconds,
              ...(settings.actor === undefined ? {} : { actor: settings.actor }),
            }),
          ),
        );
        // A mint has a run of its own: what names the stored credential's is that which was kept.
        if (envelope.audit_run_id === stored?.audit_run_id)
          say(io, 'kept', `${stored.credential_key} is still fresh, ${sayLeft(stored)}; nothing was minted`);
        if (options.json) printJson(io, envelope);
        else printPairs(io, { ...envelope });
      } finally {
        await audit.close();
        await store.close();
      }
    });
  return addRequestFlags(command);
}

/** A ledger that cannot be opened fails a mint as one does that refuses its row. */
function notIssued(error: unknown): never {
  const isRefused = isCloudCliError(error) && error.code === 'audit_unavailable';
  throw isRefused ? (error as CloudCliError).with({ outcome: 'not_issued' }) : error;
}

/** What the spinner counts against; a value that is none will be refused. */
function secondsIn({ timeout_seconds }: Record<string, unknown>): number {
  return typeof timeout_seconds === 'number' ? timeout_seconds : defaultTimeoutSeconds;
}
