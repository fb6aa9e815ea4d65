/** What the wizard asks: what to mint, the fields that it needs, and those that are wanted besides. */
import { missing } from '../../binary.js';
import type { Settings } from '../../config.js';
import type { Handler } from '../../handler.js';
import { locate } from '../../locate.js';
import { type FieldInfo, fieldsOf, listHandlers } from '../../request.js';
import type { Answers } from './answers.js';
import { problemOf, readText, writeText } from './field-text.js';
import type { Choice, Prompter } from './prompter.js';

/** A provider, or a named target of the configuration. */
export interface Pick {
  /** As it is remembered. */
  id: string;
  handler: Handler;
  target?: string;
  /** The target's request. */
  given: Answers;
}

/** Asks what to mint; `last` is the pick before. */
export async function askPick(
  prompter: Prompter,
  settings: Settings,
  env: NodeJS.ProcessEnv,
  last: string | undefined,
): Promise<Pick> {
  const handlers = listHandlers();
  const targets = Object.entries(settings.targets).flatMap(([target, request]): Pick[] => {
    const { provider, ...given } = request;
    const handler = handlers.find(({ name }) => name === provider);
    return handler ? [{ id: `target:${target}`, handler, target, given }] : [];
  });
  const picks = [...targets, ...handlers.map((handler): Pick => ({ id: handler.name, handler, given: {} }))];
  const choices = picks.map(({ id, handler, target, given }, index): Choice<string> => {
    const path = locate(handler.binary, env.PATH);
    const found = `(${handler.binary}: ${path ? 'found' : 'not on this host'})`;
    const about = path
      ? `${handler.binary} is ${path}.`
      : `${missing(handler).message}. ${missing(handler).hint}`;
    const opens = index === 0 ? 'Targets' : index === targets.length ? 'Providers' : undefined;
    return {
      value: id,
      name: `${target ?? handler.title} ${found}`,
      short: target ?? handler.title,
      description:
        target === undefined
          ? about
          : `${[handler.title, given.target_credential_key].filter(Boolean).join(', ')}. ${about}`,
      heading: targets.length === 0 ? undefined : opens,
    };
  });
  const known = picks.some(({ id }) => id === last) ? last : undefined;
  const id = await prompter.one('What do you want to mint?', choices, known);
  return picks.find((pick) => pick.id === id)!;
}

/**
 * Asks for the required fields, then for the optional ones that are ticked.
 * @param before answers to offer, such as those of the last time
 * @param onAnswer is told all that is known after each answer
 */
export async function askFields(
  prompter: Prompter,
  handler: Handler,
  before: Answers,
  onAnswer: (answers: Answers) => void,
): Promise<Answers> {
  const fields = fieldsOf(handler);
  const required = fields.filter((field) => field.required);
  const optional = fields.filter((field) => !field.required);
  let answers: Answers = {};
  const ask = async (field: FieldInfo) => {
    answers = { ...answers, ...(await askField(prompter, handler, field, before[field.name])) };
    onAnswer({ ...before, ...answers });
  };
  for (const field of required) await ask(field);
  if (optional.length > 0) {
    const ticked = await prompter.several(
      'More options',
      optional.map((field) => ({
        value: field.name,
        name: field.label,
        description: described(field),
        checked: before[field.name] !== undefined,
      })),
      (names) => excluded(handler, fields, names),
    );
    for (const field of optional) if (ticked.includes(field.name)) await ask(field);
  }
  onAnswer(answers);
  return answers;
}

/** Asks only for what a request must have and `given` has not. */
export async function askMissing(prompter: Prompter, handler: Handler, given: Answers): Promise<Answers> {
  let answers = given;
  for (const field of fieldsOf(handler)) {
    if (field.required && answers[field.name] === undefined)
      answers = { ...answers, ...(await askField(prompter, handler, field, undefined)) };
  }
  return answers;
}

/** The answer under the field's name; nothing for an optional field that is left empty. */
async function askField(
  prompter: Prompter,
  handler: Handler,
  field: FieldInfo,
  before: unknown,
): Promise<Answers> {
  const problem = (typed: string) => problemOf(handler.name, field, typed);
  // A default such as cloud-cli-<run_id> is no answer: who gives none gets it.
  const usual = field.default !== undefined && problem(String(field.default)) === undefined;
  const offered = before ?? (usual ? field.default : '');
  const text = await prompter.field({
    label: field.label,
    help: described(field, before === undefined && usual),
    secret: field.secret,
    offered: writeText(offered),
    problem,
  });
  return text === '' ? {} : { [field.name]: readText(field.type, text) };
}

function described({ help, type, default: value }: FieldInfo, offered = false): string {
  const several = type === 'list' || type === 'map' ? ' Commas separate several.' : '';
  return `${help}${several}${value === undefined || offered ? '' : ` Default: ${value}`}`;
}

/** Which of the ticked fields do not go together. */
function excluded(
  handler: Handler,
  fields: readonly FieldInfo[],
  names: readonly string[],
): string | undefined {
  const clash = handler.exclusive.find((group) => group.filter((name) => names.includes(name)).length > 1);
  if (!clash) return undefined;
  const labels = clash.map((name) => fields.find((field) => field.name === name)?.label ?? name);
  return `Take one of ${labels.join(' and ')}, not both.`;
}
