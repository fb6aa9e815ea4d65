/** `cloud-cli keep`: named targets minted again before each expiry, until stopped. */
import { Command } from 'commander';
import { openAuditStore } from '../audit/open.js';
import { loadSettings, type Settings } from '../config.js';
import { invalidRequest, isCloudCliError } from '../errors.js';
import { type KeepEvent, keep } from '../keep.js';
import { checkRequest } from '../request.js';
import { openCredentialStore } from '../stores/open.js';
import { asService } from './interrupt.js';
import { type Io, print } from './io.js';
import { requestOf } from './request-flags.js';
import { targetRequest } from './target.js';

export function keepCommand(io: Io): Command {
  return new Command('keep')
    .description('Mint named targets again before each expiry, until stopped; one line per event.')
    .argument('<target...>', 'named targets of the configuration')
    .option('--json', 'Print JSON lines.')
    .addHelpText(
      'after',
      '\nTargets, allow rules and pins are read again before each mint; the ledger and\nthe store are those of the start.\n\nExample:\n  cloud-cli keep prod staging --json',
    )
    .action(async (targets: string[], { json }: { json?: boolean }) => {
      const settings = loadSettings(io.env);
      refuseSharedKeys(targets, settings);
      const store = await openCredentialStore(settings.store_url, { recipients: settings.age_recipients });
      const audit = await openAuditStore(settings.audit_url);
      try {
        await asService((signal) =>
          keep(targets, {
            ask: async (target) => {
              const now = loadSettings(io.env);
              const request = await requestOf({}, io, targetRequest(now, target));
              return { request, policy: now.allow, binaries: now.binaries };
            },
            report: (event) => print(io, json ? JSON.stringify(event) : lineOf(event)),
            persist: store.persist,
            ready: store.ready,
            stored: store.describe,
            audit,
            signal,
            env: io.env,
            ...(settings.actor === undefined ? {} : { actor: settings.actor }),
          }),
        );
      } finally {
        await audit.close();
        await store.close();
      }
    });
}

/** Two targets of one key would replace each other's credential. @throws CloudCliError `invalid_request` */
function refuseSharedKeys(targets: readonly string[], settings: Settings): void {
  const byKey = new Map<string, string>();
  for (const target of targets) {
    const key = keyOf(targetRequest(settings, target));
    const other = key === undefined ? undefined : byKey.get(key);
    if (other !== undefined) {
      const message = `${other} and ${target} have the credential key ${key}`;
      throw invalidRequest(
        [{ field: 'target', message }],
        'Keep one of them, or give each a key of its own.',
      );
    }
    if (key !== undefined) byKey.set(key, target);
  }
}

/** Nothing for a request that is not valid yet: keeping it reports why, and the other targets go on. */
function keyOf(request: Record<string, unknown>): string | undefined {
  try {
    return checkRequest(request).key.toString();
  } catch (error) {
    if (isCloudCliError(error)) return undefined;
    throw error;
  }
}

function lineOf(event: KeepEvent): string {
  if (event.event === 'stopped') return `${event.at} stopped`;
  const words = [event.at, event.event, event.target, event.credential_key ?? '-', ...detailsOf(event)];
  return words.join(' ').replace(/\s+/g, ' ');
}

function detailsOf(event: Exclude<KeepEvent, { event: 'stopped' }>): string[] {
  const next = `next=${event.next_attempt_at ?? '-'}`;
  if (event.event === 'waiting') return [next];
  const run = `run=${event.audit_run_id ?? '-'}`;
  if (event.event !== 'failed') return [`expires=${event.expires_at}`, run, next];
  const live = event.live_until === undefined ? [] : [`live_until=${event.live_until}`];
  return [run, next, ...live, `${event.code}: ${event.message} (hint: ${event.hint})`];
}
