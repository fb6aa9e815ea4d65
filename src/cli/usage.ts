/** A command line that commander refuses, as one of our failures. */
import type { Command, CommanderError } from 'commander';
import { CloudCliError } from '../errors.js';

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
    hint: `See \`${[...wordsOf(program, args), '--help'].join(' ')}\`.`,
    issues: [{ field, message: text }],
  });
}

/** The names of the command that `args` reach. */
function wordsOf(command: Command, args: readonly string[]): string[] {
  const next = command.commands.find((candidate) => candidate.name() === args[0]);
  return [command.name(), ...(next ? wordsOf(next, args.slice(1)) : [])];
}
