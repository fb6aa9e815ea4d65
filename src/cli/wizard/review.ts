/** What is to be seen before one says yes: the exact command, and what is new in it. */
import type { WorkloadRun } from '../../audit/ledger.js';
import { duration } from '../../duration.js';
import type { Preview } from '../../preview.js';
import type { CheckedRequest } from '../../request.js';
import { shellLine } from '../../shell.js';
import type { Fact } from './facts.js';

/** `last` is the newest run of the key that succeeded. */
export function reviewFacts(shown: Preview, checked: CheckedRequest, last: WorkloadRun | undefined): Fact[] {
  const lifetime = duration(checked.lifetime_seconds);
  return [
    ['Command', shown.command],
    ['Binary', shown.problem ? [shown.problem.message, shown.problem.hint] : `found: ${shown.binary_path}`],
    ['Lifetime', typeof checked.handler.lifetime === 'number' ? `at most ${lifetime}` : lifetime],
    ...(shown.policy ? [['Policy', verdict(shown.policy)] as const] : []),
    ['Changed', last ? changed(last, shown) : `nothing to compare: ${shown.credential_key} is new`],
  ];
}

/** What the masked command lines of two runs differ in; the session that is named after its run does not count. */
export function changesSince(
  last: Pick<WorkloadRun, 'run_id' | 'argv'>,
  next: Pick<Preview, 'run_id' | 'argv'>,
): string[] {
  const [before, after] = [parsed(last), parsed(next)];
  if (before.words !== after.words) return [`was: ${shellLine(last.argv)}`];
  const names = new Set([...before.flags.keys(), ...after.flags.keys()]);
  return [...names].flatMap((name) => {
    const [old, now] = [before.flags.get(name), after.flags.get(name)];
    if (old === now) return [];
    if (old === undefined) return [`+ ${name}${now}`];
    if (now === undefined) return [`- ${name}${old}`];
    return [`${name.replace(/=$/, '')}: ${old} -> ${now}`];
  });
}

function changed(last: WorkloadRun, shown: Preview): string[] {
  const changes = changesSince(last, shown);
  return changes.length === 0
    ? [`nothing since ${last.created_at}`]
    : [`since ${last.created_at}:`, ...changes];
}

function verdict({ allowed, rule }: NonNullable<Preview['policy']>): string {
  return allowed ? `allowed by rule ${rule}` : 'denied: no allow rule covers it';
}

function parsed({ run_id, argv }: Pick<Preview, 'run_id' | 'argv'>) {
  const flags = new Map<string, string>();
  const words: string[] = [];
  for (const item of argv) {
    const [, name, value = ''] = /^(--[^=]+=?)(.*)$/s.exec(item.replaceAll(run_id, '<run_id>')) ?? [];
    if (name === undefined) words.push(item);
    else flags.set(name, value);
  }
  return { words: words.join(' '), flags };
}
