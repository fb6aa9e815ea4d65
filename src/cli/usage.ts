/** Failures in the words of the command line: what commander refuses, and which flag a field of ours is. */
import type { Command, CommanderError } from 'commander';
import { CloudCliError, type Issue, isCloudCliError } from '../errors.js';

/** `args` are those that were parsed: they tell whose help to name. */
export function usageFailure(
  { message }: CommanderError,
  program: Command,
  args: readonly string[],
): CloudCliError<'invalid_request'> {
  const text = message
    .replace(/^error: /, '')
    // A mistyped `--external-id=VALUE` must not put the value on the screen.
    .replace(/'(--?[\w-]+)=[^']*'/g, "'$1'")
    .replace(
      /^(option|command-argument value) .*?'(--[\w-]+)[^']*' argument '.*?' is invalid\./,
      '$2 is invalid.',
    )
    .replace(/^command-argument value '.*?' is invalid for argument '([\w-]+)'\./, '$1 is invalid.')
    .replace(/\s+/g, ' ')
    .trim();
  const [, flag, argument] = /'?--([\w-]+)|argument '([\w-]+)'|^[\w-]+(?= is invalid)/.exec(text) ?? [];
  const field = (flag ?? argument ?? /^([\w-]+) is invalid/.exec(text)?.[1] ?? 'command').replaceAll(
    '-',
    '_',
  );
  return new CloudCliError('invalid_request', text, {
    hint: `See \`${[...reached(program, args).map((command) => command.name()), '--help'].join(' ')}\`.`,
    issues: [{ field, message: text }],
  });
}

/** The same failure with a hint that names the flags of its fields, as far as they were typed or are to be. */
export function withFlags(failure: CloudCliError, program: Command, args: readonly string[]): CloudCliError {
  if (!isCloudCliError(failure) || failure.code !== 'invalid_request') return failure;
  const command = reached(program, args).at(-1)!;
  const said = `${failure.message} ${failure.hint}`.split(/[^\w-]+/);
  const typed = failure.details.issues.flatMap((issue) => flagOf(issue, command, args) ?? []);
  const flags = [...new Set(typed)].filter((flag) => !said.includes(flag));
  if (flags.length === 0) return failure;
  const last = flags.pop();
  const which = flags.length === 0 ? `flag is ${last}` : `flags are ${flags.join(', ')} and ${last}`;
  return failure.with({ hint: `The ${which}. ${failure.hint}` }) as CloudCliError;
}

/** Undefined for what a target, a variable or nobody gave: a flag is not where to correct it. */
function flagOf({ field, message }: Issue, command: Command, args: readonly string[]): string | undefined {
  const long = `--${field.replaceAll('_', '-')}`;
  if (!command.options.some((option) => option.long === long)) return undefined;
  const typed = [long, `${long}-file`].find((flag) =>
    args.some((arg) => arg === flag || arg.startsWith(`${flag}=`)),
  );
  if (typed !== undefined) return typed;
  return message.startsWith('is required') && command.args.length === 0 ? long : undefined;
}

/** The program, and the commands below it that `args` reach. */
function reached(command: Command, args: readonly string[]): Command[] {
  const next = command.commands.find((candidate) => candidate.name() === args[0]);
  return [command, ...(next ? reached(next, args.slice(1)) : [])];
}
