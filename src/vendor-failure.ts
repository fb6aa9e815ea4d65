/** What a vendor process that did not succeed means: which code, what to say, what the cloud may now have live. */
import { CloudCliError } from './errors.js';
import { redact } from './redact.js';
import type { CheckedRequest } from './request.js';
import type { Ending } from './run.js';
import { Secret } from './secret.js';

const mostCharacters = 2000;
const killed =
  'Something on the control-plane host ended the vendor CLI; SIGKILL is often a lack of memory. Look into its system log, then run again.';

/** The failure of a run whose process did not exit with status 0. */
export function failureOf(ending: Ending, checked: CheckedRequest): CloudCliError {
  const { handler, timeout_seconds, values } = checked;
  const { binary, hints } = handler;
  switch (ending.how) {
    case 'timeout':
      return new CloudCliError(
        'timeout',
        withStderr(`${binary} did not finish within ${timeout_seconds} s and was ended`, ending, checked),
        {
          timeout_seconds,
          hint: 'Run it again; if it persists, run the previewed command on the control-plane host to see where it hangs: the network, or the trust policy.',
          outcome: 'unknown',
        },
      );
    case 'cancelled':
      return new CloudCliError('cancelled', `the mint was cancelled and ${binary} was ended`, {
        hint: 'Run it again when you want a credential.',
        outcome: 'unknown',
      });
    case 'flooded':
      return new CloudCliError('nonzero_exit', `${binary} wrote more than 1 MiB and was ended`, {
        exit_code: null,
        signal: 'SIGKILL',
        hint: `Run \`${binary} --version\` on the control-plane host: this is not how the vendor's CLI answers.`,
        outcome: 'unknown',
      });
    case 'not_started':
      return new CloudCliError(
        'binary_missing',
        `${binary} was found but could not be started (${ending.errno})`,
        {
          hint: `${hints.binary_missing} Its interpreter may be missing too.`,
          outcome: 'not_issued',
        },
      );
    case 'exited': {
      const how = ending.signal ? `was ended by ${ending.signal}` : `exited with status ${ending.exit_code}`;
      const message = withStderr(`${binary} ${how}`, ending, checked);
      const known = handler.explain(message, values);
      return new CloudCliError('nonzero_exit', message, {
        exit_code: ending.exit_code,
        signal: ending.signal,
        hint: known?.hint ?? (ending.signal ? killed : hints.nonzero_exit),
        outcome: known?.outcome ?? 'unknown',
      });
    }
  }
}

/** `what`, and the vendor's own words redacted behind it, together within the promised length. */
function withStderr(what: string, ending: { stderr: string }, { values }: CheckedRequest): string {
  const secrets = Object.values(values).filter((value) => value instanceof Secret);
  const words = redact(ending.stderr, { secrets, limit: mostCharacters - what.length - 2 });
  return words === '' ? what : `${what}: ${words}`;
}
