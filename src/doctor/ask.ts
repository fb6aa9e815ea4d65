/** Asks a vendor CLI one of the questions of its handler, in the environment that a mint gives it. */
import { childEnvironment } from '../environment.js';
import { CloudCliError } from '../errors.js';
import type { Handler, Question } from '../handler.js';
import { redact } from '../redact.js';
import { inProcess } from '../run.js';
import { newRunId } from '../run-id.js';
import { shellLine } from '../shell.js';

/** `failure` is redacted, and safe to show. An answer may be lacking though the CLI succeeded. */
export type Answer = { text: string | undefined } | { failure: string; started: boolean };

export interface Asking {
  /** The vendor CLI's absolute path. */
  file: string;
  env: NodeJS.ProcessEnv;
  timeout_seconds: number;
  signal: AbortSignal;
}

export async function ask(handler: Handler, question: Question, asking: Asking): Promise<Answer> {
  const { file, env, timeout_seconds, signal } = asking;
  const { argv, answer } = question;
  const ending = await inProcess.run({
    file,
    argv,
    env: childEnvironment(env, handler, newRunId()),
    timeout_seconds,
    signal,
  });
  const command = `\`${shellLine([handler.binary, ...argv])}\``;
  switch (ending.how) {
    case 'cancelled':
      throw new CloudCliError('cancelled', 'the checks were cancelled', { hint: 'Run doctor again.' });
    case 'not_started':
      return { failure: `${command} could not be started (${ending.errno})`, started: false };
    case 'flooded':
      return { failure: `${command} wrote more than 1 MiB and was ended`, started: true };
    case 'timeout':
      return {
        failure: `${command} did not finish within ${timeout_seconds} s and was ended`,
        started: true,
      };
    case 'exited': {
      if (ending.exit_code === 0) return { text: answerIn(ending.stdout, answer) };
      const how = ending.signal ? `was ended by ${ending.signal}` : `exited with status ${ending.exit_code}`;
      const words = redact(ending.stderr, { limit: 1000 });
      return { failure: words === '' ? `${command} ${how}` : `${command} ${how}: ${words}`, started: true };
    }
  }
}

function answerIn(stdout: string, way: Question['answer']): string | undefined {
  const found = way ? memberOf(stdout, way) : stdout.trim().split('\n')[0];
  return typeof found === 'string' && found !== '' ? redact(found, { limit: 300 }) : undefined;
}

function memberOf(text: string, way: readonly (string | number)[]): unknown {
  try {
    return way.reduce<unknown>(
      (value, name) => (value as Record<string | number, unknown> | undefined)?.[name],
      JSON.parse(text),
    );
  } catch {
    return undefined;
  }
}
