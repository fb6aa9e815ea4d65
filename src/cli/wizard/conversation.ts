/** The wizard's straight line: pick, ask, review, confirm, mint; and after a failure the same again, better. */
import { openAuditStore } from '../../audit/open.js';
import { loadSettings, type Settings } from '../../config.js';
import type { Envelope } from '../../credential.js';
import { type CloudCliError, exitCodes, isCloudCliError } from '../../errors.js';
import { mint } from '../../mint.js';
import { type Preview, preview } from '../../preview.js';
import { checkRequest, fieldsOf } from '../../request.js';
import { openCredentialStore } from '../../stores/open.js';
import { untilInterrupted } from '../interrupt.js';
import { type Io, print } from '../io.js';
import { type Look, lookOf } from '../look.js';
import { requestOf } from '../request-flags.js';
import { mintingOf, withSpinner } from '../spinner.js';
import { type Answers, lastAnswers, lastPick, rememberAnswers, rememberPick } from './answers.js';
import { type Fact, factLines } from './facts.js';
import { envelopeFacts, failureFacts } from './outcome.js';
import { Left, type Prompter, prompterOf } from './prompter.js';
import { askFields, askMissing, askPick } from './questions.js';
import { repeatLine } from './repeat.js';
import { reviewFacts } from './review.js';

interface Session {
  io: Io;
  look: Look;
  prompter: Prompter;
  settings: Settings;
}

type Next = 'edit' | 'review' | 'retry' | 'leave';

/** Resolves to the exit status. @throws CloudCliError `invalid_request` for a bad configuration */
export async function converse(io: Io): Promise<number> {
  const settings = loadSettings(io.env);
  const look = lookOf(io);
  try {
    return await talk({ io, look, settings, prompter: prompterOf(io, look) });
  } catch (error) {
    if (!(error instanceof Left)) throw error;
    io.stderr.write('cloud-cli: cancelled\n');
    return exitCodes.cancelled;
  }
}

async function talk(session: Session): Promise<number> {
  const { io, look, prompter, settings } = session;
  const { home } = settings;
  const { id, handler, target, given } = await askPick(prompter, settings, io.env, lastPick(home));
  rememberPick(home, id);
  const fields = fieldsOf(handler);
  const edit = (before: Answers) =>
    askFields(prompter, handler, before, (known) => rememberAnswers(home, handler.name, fields, known));
  let answers =
    target === undefined
      ? await edit(lastAnswers(home, handler.name, fields))
      : await askMissing(prompter, handler, given);

  for (let next: Next = 'review'; ; ) {
    if (next === 'edit') answers = await edit(answers);
    try {
      const envelope = await attempt(session, { provider: handler.name, ...answers }, next === 'retry');
      if (envelope) {
        io.stderr.write(`${look.good(look.tick)} ${look.bold('minted')}\n`);
        show(io.stdout, look, envelopeFacts(envelope));
        io.stderr.write(`${look.dim('The same again:')}\n`);
        const named = target === undefined ? undefined : { name: target, given };
        print(io, repeatLine(handler.name, fields, answers, named));
        return 0;
      }
      next = await prompter.one('What now?', [choices.edit, choices.leave]);
      if (next === 'leave') throw new Left();
    } catch (error) {
      if (!isCloudCliError(error)) throw error;
      const failure = error as CloudCliError;
      io.stderr.write(`${look.bad(`${look.cross} ${failure.code}`)}\n`);
      show(io.stderr, look, failureFacts(failure));
      // Whoever pressed Ctrl-C wants out, not one more question.
      if (failure.code === 'cancelled') return exitCodes.cancelled;
      next = await prompter.one('What now?', [choices.edit, choices.retry, choices.leave]);
      if (next === 'leave') return exitCodes[failure.code];
    }
  }
}

const choices = {
  edit: { value: 'edit', name: 'Edit the answers' },
  retry: { value: 'retry', name: 'Retry' },
  leave: { value: 'leave', name: 'Leave' },
} as const;

/** One mint from its review to its envelope; undefined when the answer was no. A retry has been seen already. */
async function attempt(
  { io, look, prompter, settings }: Session,
  answers: Answers,
  retry: boolean,
): Promise<Envelope | undefined> {
  const actor = settings.actor === undefined ? {} : { actor: settings.actor };
  const { allow: policy, binaries } = settings;
  // Secrets may stand in the environment, as for `mint`; what was typed beats it, as a flag does.
  const request = { ...(await requestOf({}, io, answers)), ...answers };
  const shown = await preview(request, { env: io.env, policy, binaries, ...actor });
  const store = await openCredentialStore(settings.store_url, { recipients: settings.age_recipients });
  try {
    const audit = await openAuditStore(settings.audit_url);
    try {
      if (!retry) {
        const last = await audit.latest(shown.credential_key);
        show(io.stderr, look, reviewFacts(shown, checkRequest(request), last));
        if (!(await confirmed(prompter, shown))) return undefined;
      }
      return await untilInterrupted((signal) =>
        withSpinner(io, { words: mintingOf(shown.timeout_seconds), signal }, () =>
          mint(
            { ...request, run_id: shown.run_id },
            {
              persist: store.persist,
              ready: store.ready,
              stored: store.describe,
              audit,
              signal,
              policy,
              binaries,
              env: io.env,
              ...actor,
            },
          ),
        ),
      );
    } finally {
      await audit.close();
    }
  } finally {
    await store.close();
  }
}

/** What is bound to fail is minted only by who insists: the ledger gets a row for it. */
function confirmed(prompter: Prompter, { problem, policy }: Preview): Promise<boolean> {
  const hopeless = problem !== undefined || policy?.allowed === false;
  return prompter.yes(hopeless ? 'Mint it all the same?' : 'Mint it?', !hopeless);
}

function show(stream: Pick<Io['stdout'], 'write'>, look: Look, facts: readonly Fact[]): void {
  stream.write(`${factLines(facts, look).join('\n')}\n`);
}
