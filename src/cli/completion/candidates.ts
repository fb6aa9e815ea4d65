/** What a word of a command line may become, read off the program itself. */
import type { Argument, Command, Option } from 'commander';
import { fieldsOf, listHandlers } from '../../request.js';
import { type Candidate, known } from './known.js';

/** `file`: the shell completes a path behind `prefix`. `command`: it completes the command that word `at` begins. */
export type Completion =
  | { kind: 'words'; words: Candidate[] }
  | { kind: 'file'; prefix: string }
  | { kind: 'command'; at: number };

/** How far a command line has come before the word to complete. */
interface Place {
  command: Command;
  operands: string[];
  given: Set<Option>;
  provider: string | undefined;
  /** The option whose value comes next, or may. */
  pending: Option | undefined;
  /** Behind `help`, the words are commands and nothing else. */
  asksHelp: boolean;
}

/** `words` are those behind `cloud-cli`, the last of them the one to complete. */
export async function candidates(
  program: Command,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Completion> {
  const before = words.slice(0, -1);
  const word = words.at(-1) ?? '';
  const dashes = before.indexOf('--');
  // What stands behind `--` is for `exec` alone, and counted with `cloud-cli` itself.
  if (dashes !== -1) return before[0] === 'exec' ? { kind: 'command', at: dashes + 2 } : nothing;

  const place = walk(program, before);
  const [, flag, typed] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
  if (flag !== undefined) {
    const option = optionNamed(flag, place.command);
    return option && takesValue(option) ? valueFor(option, `${flag}=`, typed!, env) : nothing;
  }
  if (place.pending && !endsValues(place.pending, word)) return valueFor(place.pending, '', word, env);
  if (word.startsWith('-')) return only(place.asksHelp ? [] : flagsAt(place), word);
  const found = await operandsAt(place, env);
  // Where nothing else can stand, or nothing is known of it, the flags are of more use than silence.
  return only(found.length === 0 && word === '' && !place.asksHelp ? flagsAt(place) : found, word);
}

const nothing: Completion = { kind: 'words', words: [] };

/** Those that `start` is the beginning of, each with `prefix` before it. */
function only(found: readonly Candidate[], start: string, prefix = ''): Completion {
  const words = found.filter(({ word }) => word.startsWith(start));
  return { kind: 'words', words: words.map(({ word, about }) => ({ word: `${prefix}${word}`, about })) };
}

async function valueFor(
  option: Option,
  prefix: string,
  start: string,
  env: NodeJS.ProcessEnv,
): Promise<Completion> {
  if (/<(?:path|file)>/.test(option.flags)) return { kind: 'file', prefix };
  return only(await valuesOf(option, option.attributeName(), env), start, prefix);
}

/** The commands that may stand here, or the values of the argument that does. */
async function operandsAt(place: Place, env: NodeJS.ProcessEnv): Promise<readonly Candidate[]> {
  const { command, operands, asksHelp } = place;
  const commands = commandsOf(command).filter(({ word }) => !(asksHelp && word === 'help'));
  if (commands.length > 0 || asksHelp) return commands;
  const argument = argumentAt(place);
  if (!argument) return [];
  const values = await valuesOf(argument, argument.name(), env);
  return values.filter(({ word }) => !operands.includes(word));
}

function walk(program: Command, words: readonly string[]): Place {
  const place: Place = {
    command: program,
    operands: [],
    given: new Set(),
    provider: undefined,
    pending: undefined,
    asksHelp: false,
  };
  for (const word of words) {
    const { pending } = place;
    if (pending && !endsValues(pending, word)) {
      if (pending.long === '--provider') place.provider = word;
      if (!pending.variadic) place.pending = undefined;
    } else if (word.startsWith('-')) {
      const [flag, value] = /^(--[^=]+)=(.*)$/s.exec(word)?.slice(1) ?? [word];
      const option = optionNamed(flag!, place.command);
      if (option) place.given.add(option);
      if (option?.long === '--provider') place.provider = value;
      place.pending = option && takesValue(option) && value === undefined ? option : undefined;
    } else {
      const next = place.command.commands.find((command) => command.name() === word);
      if (next) place.command = next;
      else if (word === 'help' && commandsOf(place.command).some((command) => command.word === word))
        place.asksHelp = true;
      else place.operands.push(word);
    }
  }
  return place;
}

function commandsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((visible) => ({ word: visible.name(), about: visible.description() }));
}

function optionsOf(command: Command): Option[] {
  return command.createHelp().visibleOptions(command);
}

function optionNamed(flag: string, command: Command): Option | undefined {
  return optionsOf(command).find(({ long, short }) => flag === long || flag === short);
}

/** Of several values, each next word is one until a flag comes. */
function endsValues({ variadic }: Option, word: string): boolean {
  return variadic && word.startsWith('-');
}

/** Flags that may still be given; once the provider is known, not those of others. */
function flagsAt({ command, given, provider }: Place): Candidate[] {
  const foreign = foreignFields(provider);
  return optionsOf(command)
    .filter((option) => option.long !== undefined && (option.variadic || !given.has(option)))
    .filter(({ long }) => !foreign.has(long!.slice(2).replace(/-file$/, '')))
    .map(({ long, description }) => ({ word: long!, about: description }));
}

function foreignFields(provider: string | undefined): Set<string> {
  const handler = listHandlers().find(({ name }) => name === provider);
  if (!handler) return new Set();
  const kebab = (name: string) => name.replaceAll('_', '-');
  const all = new Set(listHandlers().flatMap((other) => fieldsOf(other).map(({ name }) => kebab(name))));
  for (const { name } of fieldsOf(handler)) all.delete(kebab(name));
  return all;
}

function argumentAt({ command, operands }: Place): Argument | undefined {
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  return registeredArguments[operands.length] ?? (last?.variadic ? last : undefined);
}

async function valuesOf(
  { argChoices }: Pick<Option | Argument, 'argChoices'>,
  name: string,
  env: NodeJS.ProcessEnv,
): Promise<readonly Candidate[]> {
  if (argChoices) return argChoices.map((word) => ({ word, about: '' }));
  return Object.hasOwn(known, name) ? await known[name]!(env) : [];
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}
