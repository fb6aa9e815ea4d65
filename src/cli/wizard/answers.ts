/** The last answers, kept beside the ledger to be offered again; a secret is never among them. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectories } from '../../directories.js';
import type { FieldInfo } from '../../request.js';
import { valueProblem } from './field-text.js';

export type Answers = Record<string, unknown>;

/** What was answered last, by provider, and what was picked to mint. */
interface Memory {
  last?: string;
  answers: Record<string, Answers>;
}

/** What was picked last; undefined where that is not known. */
export function lastPick(home: string): string | undefined {
  return recall(home).last;
}

/** The last answers for a provider that still are answers. */
export function lastAnswers(home: string, provider: string, fields: readonly FieldInfo[]): Answers {
  const { answers } = recall(home);
  const known = Object.hasOwn(answers, provider) ? answers[provider]! : {};
  return Object.fromEntries(
    fields
      .filter(({ name, secret }) => !secret && Object.hasOwn(known, name))
      .map(({ name }) => [name, known[name]])
      .filter(([name, value]) => valueProblem(provider, name as string, value) === undefined),
  );
}

export function rememberPick(home: string, last: string): void {
  keep(home, { ...recall(home), last });
}

export function rememberAnswers(
  home: string,
  provider: string,
  fields: readonly FieldInfo[],
  answers: Answers,
): void {
  const memory = recall(home);
  const open = fields.filter(({ name, secret }) => !secret && answers[name] !== undefined);
  const kept = Object.fromEntries(open.map(({ name }) => [name, answers[name]]));
  keep(home, { ...memory, answers: { ...memory.answers, [provider]: kept } });
}

/** A file that is missing or was spoilt holds no answers; that must not stand in the way of a mint. */
function recall(home: string): Memory {
  try {
    const { last, answers } = JSON.parse(readFileSync(fileIn(home), 'utf8')) as Partial<Memory>;
    return {
      ...(typeof last === 'string' ? { last } : {}),
      answers: Object.fromEntries(
        Object.entries(answers ?? {}).filter(([, value]) => typeof value === 'object' && value !== null),
      ),
    };
  } catch {
    return { answers: {} };
  }
}

function keep(home: string, memory: Memory): void {
  const temporary = `${fileIn(home)}.${process.pid}`;
  try {
    makeDirectories(home);
    writeFileSync(temporary, `${JSON.stringify(memory, null, 2)}\n`, { mode: 0o600 });
    renameSync(temporary, fileIn(home));
  } catch {
    // A home that cannot be written is the ledger's to report; here only a convenience is lost.
    rmSync(temporary, { force: true });
  }
}

function fileIn(home: string): string {
  return join(home, 'answers.json');
}
