/** The one command line that asks for the same again without questions; a secret is typed anew. */
import type { FieldInfo } from '../../request.js';
import { shellLine } from '../../shell.js';
import type { Answers } from './answers.js';

export function repeatLine(
  provider: string,
  fields: readonly FieldInfo[],
  answers: Answers,
  target?: { name: string; given: Answers },
): string {
  // A flag can replace what a target gives, but not take it away.
  const usesTarget =
    target !== undefined && Object.keys(target.given).every((name) => answers[name] !== undefined);
  const base = usesTarget ? target.given : {};
  const start = usesTarget ? [target.name] : ['--provider', provider];
  const flags = fields
    .filter(({ name }) => answers[name] !== undefined && !same(answers[name], base[name]))
    .flatMap((field) => flagsOf(field, answers[field.name]));
  return shellLine(['cloud-cli', 'mint', ...start, ...flags]);
}

/** Each item of a list has a flag of its own, so that none can be taken for an option. */
function flagsOf({ name, secret }: FieldInfo, value: unknown): string[] {
  const flag = `--${name.replaceAll('_', '-')}`;
  if (secret) return [`${flag}-file`, '-'];
  if (Array.isArray(value)) return value.flatMap((item) => [flag, String(item)]);
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, member]) => [flag, `${key}=${member}`]);
  return [flag, String(value)];
}

function same(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
