/** `cloud-cli audit checkpoint`: the ledger's head signed and published, once or on a schedule. */
import { Command } from 'commander';
import type { Head } from '../../audit/chain.js';
import { makeCheckpointKey, readPrivateKey } from '../../audit/checkpoint-key.js';
import { destinationOf, type Publish } from '../../audit/destination.js';
import { openAuditStore } from '../../audit/open.js';
import { type PublishEvent, publishHead, publishHeads } from '../../audit/publish.js';
import { loadSettings } from '../../config.js';
import { invalidRequest } from '../../errors.js';
import { asService } from '../interrupt.js';
import { type Io, print, say } from '../io.js';
import { secondsOf } from '../seconds.js';

interface Flags {
  key: string;
  newKey?: boolean;
  to: string;
  every?: string;
}

export function checkpointCommand(io: Io): Command {
  return new Command('checkpoint')
    .description('Sign the head of the chain and publish it, once or at each interval until stopped.')
    .requiredOption('--key <file>', 'The private key that signs, mode 0600.')
    .option('--new-key', 'Make that key first, and its public key beside it in FILE.pub.')
    .option('--to <file>', 'Append it to this file, POST it to this URL, or - prints it.', '-')
    .option('--every <duration>', 'Publish again at each interval, such as 5m.')
    .addHelpText(
      'after',
      '\nExample:\n  cloud-cli audit checkpoint --key audit.key --new-key --to checkpoints.jws\n  cloud-cli audit verify --head checkpoints.jws --public-key audit.key.pub',
    )
    .action(async ({ key, newKey, to, every }: Flags) => {
      const every_seconds = every === undefined ? undefined : intervalOf(every);
      const isPrinted = to === '-';
      const publish = isPrinted ? printer(io) : destinationOf(to);
      if (newKey) {
        makeCheckpointKey(key);
        say(
          io,
          'hint',
          `Carry ${key}.pub off this host: verification needs it, and must not take it from here.`,
        );
      }
      const options = { head: () => currentHead(io), key: readPrivateKey(key), publish };
      const report = (event: PublishEvent) => {
        if (event.event === 'failed') sayFailure(io, event);
        else if (!isPrinted) print(io, `${event.at} published seq=${event.seq} hash=${event.hash}`);
      };
      if (every_seconds === undefined) {
        const head = await publishHead(options);
        report({ at: new Date().toISOString(), event: 'published', ...head });
      } else await asService((signal) => publishHeads({ ...options, every_seconds, report, signal }));
    });
}

/** Timers hold 24 days at most; a checkpoint that comes less than daily is worth little. */
function intervalOf(text: string): number {
  const seconds = secondsOf(text, 'every');
  if (seconds >= 1 && seconds <= 86_400) return seconds;
  throw invalidRequest([{ field: 'every', message: 'must be 1s to 24h' }], 'Write it as 90s, 15m or 1h.');
}

/** Opened anew each time: a file that was put in the ledger's place must show, and a held one would hide it. */
async function currentHead(io: Io): Promise<Head> {
  const ledger = await openAuditStore(loadSettings(io.env).audit_url);
  try {
    return await ledger.head();
  } finally {
    await ledger.close();
  }
}

/** Rejects when nobody reads any more, which ends a schedule too. */
function printer(io: Io): Publish {
  return (line) =>
    new Promise((resolve, reject) => {
      io.stdout.write(`${line}\n`, (error) => (error ? reject(error) : resolve()));
    });
}

function sayFailure(io: Io, failure: Extract<PublishEvent, { event: 'failed' }>): void {
  const { at, code, message, next_attempt_at, hint } = failure;
  say(io, 'error', `${code}: ${message} (at ${at}, next attempt at ${next_attempt_at})`);
  say(io, 'hint', hint);
}
