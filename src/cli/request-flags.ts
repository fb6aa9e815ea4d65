/** A request from the command line: its flags are the handlers' fields, and its secrets come from safer places too. */
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { invalidRequest } from '../errors.js';
import type { FieldInfo } from '../request.js';
import { fieldsOf, listHandlers } from '../request.js';
import { type Io, isInteractive, readAll } from './io.js';

interface Flag extends FieldInfo {
  /** The providers that have the field; empty when all have it. */
  providers: string[];
}

let known: Flag[] | undefined;

/** The flags of every provider, each once. */
function flags(): Flag[] {
  known ??= everyFlag();
  return known;
}

function everyFlag(): Flag[] {
  const handlers = listHandlers();
  const byName = new Map<string, Flag>();
  for (const handler of handlers) {
    for (const field of fieldsOf(handler)) {
      const flag = byName.get(field.name) ?? { ...field, providers: [] };
      flag.providers.push(handler.name);
      if (!flag.help.includes(field.help)) flag.help += ` ${field.help}`;
      byName.set(field.name, flag);
    }
  }
  return [...byName.values()].map((flag) =>
    flag.providers.length === handlers.length ? { ...flag, providers: [] } : flag,
  );
}

/** Adds the request's flags to a command, grouped by provider in its help. */
export function addRequestFlags(command: Command): Command {
  const names = listHandlers().map(({ name }) => name);
  command.optionsGroup('Request:');
  command.addOption(new Option('--provider <name>', `One of ${names.join(', ')}. Required.`));
  const grouped = flags().map((flag) => ({ flag, group: ['Request', ...flag.providers].join(', ') }));
  for (const group of new Set(['Request', ...grouped.map(({ group }) => group)])) {
    command.optionsGroup(`${group}:`);
    for (const { flag, group: own } of grouped) if (own === group) addFlag(command, flag);
  }
  command.optionsGroup('Options:');
  command.addOption(new Option('--run-id <id>', 'The id of a preview, to mint exactly that.'));
  return command;
}

function addFlag(command: Command, flag: Flag): void {
  const { name, type, secret } = flag;
  const help = helpOf(flag);
  const option = `--${kebab(name)}`;
  if (type === 'list') command.addOption(new Option(`${option} <value...>`, help));
  else if (type === 'map') command.addOption(new Option(`${option} <key=value...>`, help));
  else command.addOption(new Option(`${option} <${type === 'integer' ? 'number' : 'value'}>`, help));
  if (!secret) return;
  command.addOption(
    new Option(
      `${option}-file <path>`,
      `The same from a file; - is standard input, or a prompt. Or set ${variable(name)}.`,
    ).conflicts(camel(name)),
  );
}

function helpOf({ help, required, default: value }: Flag): string {
  return [help, required && 'Required.', value !== undefined && `Default ${value}.`]
    .filter((part) => part !== false)
    .join(' ');
}

/**
 * The request that flags ask for, over those of the environment, and these over a target of the configuration.
 * @throws CloudCliError `invalid_request` when a secret's file cannot be read
 */
export async function requestOf(
  options: Record<string, unknown>,
  io: Io,
  target: Record<string, unknown> = {},
): Promise<Record<string, unknown>> {
  const request: Record<string, unknown> = { ...target };
  if (options.provider !== undefined) request.provider = options.provider;
  if (options.runId !== undefined) request.run_id = options.runId;
  for (const flag of flags()) {
    const value = options[camel(flag.name)];
    if (value !== undefined) request[flag.name] = typed(flag, value);
    else if (flag.secret) await addSecret(request, flag, options, io);
  }
  return request;
}

async function addSecret(
  request: Record<string, unknown>,
  flag: Flag,
  options: Record<string, unknown>,
  io: Io,
): Promise<void> {
  const path = options[`${camel(flag.name)}File`] as string | undefined;
  if (path !== undefined) {
    request[flag.name] = path === '-' ? await fromStdin(flag, io) : fromFile(flag, path);
    return;
  }
  const value = io.env[variable(flag.name)];
  const applies = flag.providers.length === 0 || flag.providers.includes(String(request.provider));
  if (value !== undefined && value !== '' && applies) request[flag.name] = value;
}

function fromFile({ name }: Flag, path: string): string {
  try {
    return withoutLineEnd(readFileSync(path, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const message = `${path} cannot be read (${code})`;
    throw invalidRequest(
      [{ field: `${name}_file`, message }],
      'Name a file that holds the value alone, or - for standard input.',
    );
  }
}

async function fromStdin({ label }: Flag, io: Io): Promise<string> {
  if (isInteractive(io)) {
    const { askSecret } = await import('./ask-secret.js');
    return askSecret(label, io);
  }
  return withoutLineEnd(await readAll(io));
}

/** A text file ends in a line end, which is not part of the value. */
function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}

/** What is not a whole number stays text, for validation to refuse. */
function typed({ name, type }: Flag, value: unknown): unknown {
  if (type === 'integer') return /^(?:0|[1-9][0-9]{0,8})$/.test(value as string) ? Number(value) : value;
  if (type === 'map')
    return mapOf(
      name,
      (value as string[]).map((text) => pair(name, text)),
    );
  return value;
}

function mapOf(field: string, pairs: [string, string][]): Record<string, string> {
  const keys = pairs.map(([key]) => key);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice === undefined) return Object.fromEntries(pairs);
  throw invalidRequest([{ field, message: 'must not have a key more than once' }], 'Give each key once.');
}

/** Without a `=` it is a slip, not a key of no value: `--tags env prod` means one tag. */
function pair(field: string, text: string): [string, string] {
  const at = text.indexOf('=');
  if (at !== -1) return [text.slice(0, at), text.slice(at + 1)];
  throw invalidRequest([{ field, message: 'must be given as key=value' }], 'For an empty value write key=.');
}

function kebab(name: string): string {
  return name.replaceAll('_', '-');
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function variable(name: string): string {
  return `CLOUD_CLI_${name.toUpperCase()}`;
}
