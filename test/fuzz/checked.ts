/** What must hold of any request: it is refused without quoting it, or its command line is what it looks like. */
import { argvOf } from '../../src/argv.js';
import { isCloudCliError } from '../../src/errors.js';
import { type CheckedRequest, checkRequest } from '../../src/request.js';
import { Secret } from '../../src/secret.js';
import { expectThat } from './target.js';

/** Stands in values, and must stand in no refusal. */
export const planted = 'Qz7Planted';

/** What a vendor CLI's command line may consist of. */
const commands: Readonly<Record<string, readonly string[]>> = {
  aws: ['sts', 'assume-role'],
  gcloud: ['auth', 'print-access-token'],
  az: ['account', 'get-access-token'],
};
const flags =
  /^--(?:role-arn|role-session-name|duration-seconds|external-id|source-identity|policy|policy-arns|tags|transitive-tag-keys|serial-number|token-code|profile|region|output|impersonate-service-account|lifetime|format|quiet|user-output-enabled|verbosity|no-log-http|scope|resource|tenant|subscription|only-show-errors)$/;
const bare = /^--(?:quiet|user-output-enabled|no-log-http|only-show-errors)$/;
const lists = /^--(?:policy-arns|tags|transitive-tag-keys)$/;

export function holdsOf(value: unknown): CheckedRequest | undefined {
  let checked: CheckedRequest;
  try {
    checked = checkRequest(value);
  } catch (error) {
    expectThat(isCloudCliError(error), `an error that is none of ours: ${(error as Error)?.stack}`);
    expectThat(error.code === 'invalid_request', `refused as ${error.code}`);
    const { issues } = error.details as { issues: { field: string; message: string }[] };
    expectThat(issues.length > 0, 'refused for nothing');
    for (const { field, message } of issues) {
      expectThat(field !== '' && message !== '', 'an issue without words');
      expectThat(!message.includes(planted), `quotes a value: ${message}`);
    }
    expectThat(/^[\x20-\x7e]*$/.test(error.message), 'a refusal with what a terminal obeys');
    return undefined;
  }
  commandHolds(checked);
  return checked;
}

function commandHolds(checked: CheckedRequest): void {
  const { binary, argv, masked } = argvOf(checked);
  const open = argv.map((item) => (item instanceof Secret ? item.reveal() : item));
  const words = commands[binary] ?? [];
  expectThat(open[0] === binary, 'the first item is not the binary');
  expectThat(
    words.every((word, index) => open[index + 1] === word),
    'another command',
  );
  const seen = new Set<string>();
  for (const item of open.slice(1 + words.length)) {
    const [, flag = '', value = ''] = /^(--[a-z-]+)(?:=(.*))?$/s.exec(item) ?? [];
    expectThat(flags.test(flag), `an item that is no option of ours: ${JSON.stringify(item)}`);
    expectThat(!seen.has(flag), `${flag} twice`);
    seen.add(flag);
    expectThat(bare.test(flag) === !item.includes('='), `${flag} with, or without, a value`);
    expectThat(bare.test(flag) || value !== '', `${flag} is empty`);
    expectThat(item.isWellFormed() && !item.includes('\0'), `${flag} cannot be an argument`);
    expectThat(flag === '--policy' || !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value), `${flag} has control characters`);
    expectThat(Buffer.byteLength(item) < 128 * 1024, `${flag} is longer than an argument may be`);
    // https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-file.html: where the whole value is one,
    // and not inside of JSON; az reads @FILE.
    expectThat(!/^\s*fileb?:\/\//i.test(value), `${flag} is read from a file`);
    expectThat(binary !== 'az' || !/^\s*@/.test(value), `${flag} is read from a file`);
    expectThat(binary === 'az' || !/^https?:\/\//i.test(value), `${flag} is read from the network`);
    // `gcloud topic escaping`: ^X^ chooses what parts a list.
    expectThat(binary !== 'gcloud' || !value.startsWith('^'), `${flag} chooses its own separator`);
    if (lists.test(flag)) expectThat(Array.isArray(JSON.parse(value)), `${flag} is no list`);
    if (flag === '--policy') expectThat(typeof JSON.parse(value) === 'object', '--policy is no object');
  }
  for (const secret of Object.values(checked.values).filter((each) => each instanceof Secret)) {
    const text = secret.reveal();
    const inNothingElse = open.filter((item) => item.includes(text)).length === 1;
    if (text.length >= 6 && inNothingElse)
      expectThat(!masked.some((item) => item.includes(text)), 'a secret in the masked command line');
  }
  expectThat(
    checked.reason === null || !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(checked.reason),
    'a reason with what a terminal obeys or does not show',
  );
  for (const seconds of [checked.lifetime_seconds, checked.exposure_seconds, checked.timeout_seconds])
    expectThat(Number.isSafeInteger(seconds) && seconds > 0, 'a time that is none');
}
