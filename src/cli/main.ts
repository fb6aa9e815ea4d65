/** From argv to an exit status: the one place where a command's failure becomes text. */
import { CommanderError } from 'commander';
import { CloudCliError, exitCodes, isCloudCliError } from '../errors.js';
import { ExitStatus, type Io, printJson, say } from './io.js';
import { buildProgram } from './program.js';
import { systemIo } from './system.js';
import { usageFailure, withFlags } from './usage.js';
import { canAsk, runWizard } from './wizard.js';

/** Runs one command and resolves to its exit status; it never rejects. */
export async function main(args: readonly string[], io: Io = systemIo()): Promise<number> {
  let unwritten: unknown;
  io.stdout.on('error', (error) => {
    unwritten ??= error;
  });
  const status = await run(args, io);
  await new Promise<void>((resolve) => io.stdout.write('', () => resolve()));
  // A reader that has seen enough, such as `head`, is not a failure of ours.
  if (unwritten === undefined || codeOf(unwritten) === 'EPIPE') return status;
  report(outputFailure(unwritten), io);
  return status === 0 ? exitCodes.internal : status;
}

async function run(args: readonly string[], io: Io): Promise<number> {
  const [own, child] = splitChild(args);
  const program = await buildProgram(io, child, own[0]);
  try {
    if (args.length === 0 && canAsk(io)) return await runWizard(io);
    if (args.length === 0) {
      program.outputHelp({ error: true });
      return exitCodes.invalid_request;
    }
    await program.parseAsync(own, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof ExitStatus) {
      if (error.words !== undefined) {
        say(io, 'error', error.words.error);
        say(io, 'hint', error.words.hint);
      }
      return error.status;
    }
    if (codeOf(error) === 'EPIPE') return 0;
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    // It has printed its help: a group of commands was named without one of them.
    if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.invalid_request;
    const failure =
      error instanceof CommanderError
        ? usageFailure(error, program, own)
        : withFlags(asFailure(error), program, own);
    report(failure, io);
    if (wantsJson(args)) printJson(io, { error: failure });
    return exitCodes[failure.code];
  }
}

function report(failure: CloudCliError, io: Io): void {
  say(io, 'error', `${failure.code}: ${failure.message}`);
  if (failure.outcome === 'not_issued') say(io, 'outcome', 'nothing was issued');
  if (failure.outcome === 'unknown')
    say(io, 'outcome', `the cloud may hold a live credential until ${failure.live_until ?? 'its expiry'}`);
  if (failure.outcome === 'issued')
    say(io, 'outcome', `the cloud has issued a credential, live until ${failure.live_until ?? 'its expiry'}`);
  say(io, 'hint', failure.hint);
  if (failure.audit_run_id !== undefined) say(io, 'run', failure.audit_run_id);
}

function outputFailure(error: unknown): CloudCliError {
  return new CloudCliError('internal', `standard output cannot be written (${codeOf(error)})`, {
    hint: 'Its disk may be full. What the command did is done all the same: see `cloud-cli audit list`.',
  });
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function asFailure(error: unknown): CloudCliError {
  if (isCloudCliError(error)) return error as CloudCliError;
  if ((error as NodeJS.ErrnoException).syscall === 'write') return outputFailure(error);
  // Its message could quote a secret; where it was thrown cannot.
  const { name, stack } = error instanceof Error ? error : { name: typeof error, stack: '' };
  const at =
    stack
      ?.split('\n')
      .find((line) => line.trimStart().startsWith('at '))
      ?.trim() ?? '';
  return new CloudCliError('internal', `an unexpected ${name} ${at}`.trim(), {
    hint: 'This is a defect: please report it.',
  });
}

/** `exec`'s own words, and the command behind `--`, which is none of ours to read. */
function splitChild(args: readonly string[]): [own: readonly string[], child: readonly string[]] {
  const at = args[0] === 'exec' ? args.indexOf('--') : -1;
  return at === -1 ? [args, []] : [args.slice(0, at), args.slice(at + 1)];
}

function wantsJson(args: readonly string[]): boolean {
  return splitChild(args)[0].includes('--json');
}
