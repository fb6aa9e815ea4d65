/**
 * What a provider is: one file of data and three pure functions (argv, parse, explain), from which validation,
 * preview, mint, prompts and flags all follow. `defineHandler` is also the door for a provider of your own.
 */
import type * as z from 'zod/v4/core';
import { CloudCliError, type Outcome } from './errors.js';
import type { Secret } from './secret.js';

export { timeOf } from './rfc3339.js';

/** One field of a request: how to ask for it and what it must be. */
export interface Field<S extends z.$ZodType = z.$ZodType, R extends boolean = boolean> {
  /** Its name for a person, two or three words. */
  label: string;
  /** One sentence for a person: what it is and what it must look like. */
  help: string;
  /** How it is asked for: a list repeats its flag, a map takes `key=value`. */
  type: 'string' | 'integer' | 'list' | 'map';
  /** What its value must be; its messages follow the name of the field. */
  schema: S;
  /** Whether a request must have it. */
  required: R;
  /** Token-bearing: its schema turns the value into a Secret, and prompts hide what is typed. */
  secret: boolean;
  /** Used when the field is absent. In a string, `<run_id>` stands for the id of the run. */
  default?: string | number;
}

/** The fields of a provider, by the name that a request has them under. */
export type Fields = Record<string, Field>;

/** The values of a validated request, by its handler's fields. */
export type Values<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends { required: true } | { default: string | number }
    ? z.output<F[K]['schema']>
    : z.output<F[K]['schema']> | undefined;
};

/** What the vendor's process left behind; both streams are raw and must not be quoted. */
export interface Output {
  /** All that it printed, at most 1 MiB. */
  stdout: string;
  /** All that it said besides, at most 1 MiB. */
  stderr: string;
  /** When it was spawned: gcloud names no expiry, so the lifetime counts from here. */
  started_at: Date;
}

/** What `parse` found in a successful answer. */
export interface Minted<P extends string = string> {
  /** The credential's own parts, secret from here on. */
  parts: Readonly<Record<P, Secret>>;
  /** When it expires; `mint` refuses one that is past. */
  expires_at: Date;
  /** Role ARN, service-account email or subscription id: whom the credential speaks for. */
  source_identity: string;
  /** The public id under which the cloud's own log names the credential (AWS). */
  access_key_id?: string;
}

/** What a recognised failure means. */
export interface Explanation {
  /** What to do next. */
  hint: string;
  /** Whether the cloud can have issued anything; `unknown` unless the vendor said no. */
  outcome: Outcome;
}

/** A command of the vendor CLI whose answer `doctor` shows; it must print no token. */
export interface Question {
  /** Arguments without the binary's name. */
  argv: readonly string[];
  /** The way to the answer in the JSON that it prints; absent where the answer is its first line. */
  answer?: readonly (string | number)[];
}

/** A setting of the operator's own, in an INI file of the vendor CLI, that leaks or breaks something. */
export interface HarmfulSetting {
  /** Path of the file, as in a checkup. */
  file: string;
  /** Its section. */
  section: RegExp;
  /** Its name. */
  name: string;
  /** The values that do harm. */
  value: RegExp;
  /** A variable that beats the file. */
  variable?: string;
  /** How bad it is. */
  status: 'warning' | 'problem';
  /** What it does, in words that follow its name. */
  effect: string;
  /** What to do about it. */
  hint: string;
}

/** What `doctor` looks at. In its paths `<name>` stands for a place, and a leading `~` for the home directory. */
export interface Checkup {
  /** Tells the version of the vendor CLI. */
  version: Question;
  /** Names the parent identity. */
  identity: Question & {
    /** It reads the CLI's own files only, so that whether the login still holds stays open. */
    local: boolean;
    /** Variables that bring a parent of their own, of which the answer would say nothing. */
    beaten_by: readonly string[];
  };
  /** Each is what its variable says, else what its file says, else the default. */
  places: Readonly<Record<string, { variable: string; file?: string; otherwise: string }>>;
  /** Files for this user's eyes only; one with `holding` only while its text matches. */
  secrets: readonly { file: string; holding?: RegExp }[];
  /** What to warn of. */
  settings: readonly HarmfulSetting[];
}

/** A provider. `V` are its validated values, `P` the names of its credential's secret parts. */
export interface Handler<F extends Fields = Fields, P extends string = string> {
  /** The `provider` of a request. */
  name: string;
  /** Its name for a person. */
  title: string;
  /** Name of the vendor CLI, found on PATH. */
  binary: string;
  /** Its own fields; those that every provider has come besides. */
  fields: F;
  /** Names of the credential's secret parts. */
  parts: readonly P[];
  /** Fields of which at most one may be given. */
  exclusive: readonly (readonly (keyof F & string)[])[];
  /** The fields that name whom to mint for, first present wins; none present means the CLI's own default. */
  identity: readonly (keyof F & string)[];
  /** The field that names the session in the cloud's own log. */
  session_name?: keyof F & string;
  /** Seconds that a credential can live: the field that asks for it, or the most the provider gives. */
  lifetime: (keyof F & string) | number;
  /** Seconds that a credential which the CLI issues by the way, and drops, lives at least. */
  dropped_lifetime?: number;
  /** Added to the child's environment; `<run_id>` stands for the id of the run. */
  environment: Readonly<Record<string, string>>;
  /** How the vendor's own tools take the credential from their environment. */
  use: {
    /** Environment variable: the part or metadata member that it holds. */
    variables: Readonly<Record<string, P | 'expires_at' | 'source_identity'>>;
    /** Variables that would make a tool use another credential. */
    cleared: readonly string[];
    /** What an AWS profile's `credential_process` prints, by member; absent where a credential is of no use to it. */
    credential_process?: Readonly<Record<string, P | 'expires_at'>>;
  };
  /** What to do when nothing more is known, by failure. */
  hints: { binary_missing: string; nonzero_exit: string };
  /** Absent where `doctor` is to look at the binary alone. */
  doctor?: Checkup;
  /** The vendor CLI's arguments. One item per flag (`--flag=value`), so that no value can pose as an option. */
  argv(values: Values<F>): (string | Secret)[];
  /** Reads an exit-0 answer. @throws CloudCliError `parse_error`, by {@link offShape} and its kin. */
  parse(output: Output, values: Values<F>): Minted<P>;
  /** Recognises a failure in the vendor's redacted stderr. */
  explain(stderr: string, values: Values<F>): Explanation | undefined;
}

/** Types a provider's definition; at run time it returns it as it is. */
export function defineHandler<const F extends Fields, const P extends string>(
  handler: Handler<F, P>,
): Handler<F, P> {
  return handler;
}

/** A field that a request must have. */
export function required<S extends z.$ZodType>(
  schema: S | (() => S),
  words: Pick<Field, 'label' | 'help'> & Partial<Pick<Field, 'type' | 'secret'>>,
): Field<S, true> {
  return Object.assign(field(schema, words), { required: true as const });
}

/** A field that a request may have. */
export function optional<S extends z.$ZodType>(
  schema: S | (() => S),
  words: Pick<Field, 'label' | 'help'> & Partial<Pick<Field, 'type' | 'secret'>>,
): Field<S, false> {
  return Object.assign(field(schema, words), { required: false as const });
}

/** A field that a request may have, and the value it takes otherwise. */
export function defaulted<S extends z.$ZodType, const D extends string | number>(
  schema: S | (() => S),
  value: D,
  words: Pick<Field, 'label' | 'help'> & Partial<Pick<Field, 'type' | 'secret'>>,
): Field<S, false> & { default: D } {
  return Object.assign(field(schema, words), { required: false as const, default: value });
}

/** `schema` can be what makes it: only a value that is there needs one, and making them all takes longer than a preview. */
function field<S extends z.$ZodType>(
  schema: S | (() => S),
  words: Pick<Field, 'label' | 'help'> & Partial<Pick<Field, 'type' | 'secret'>>,
) {
  let made: S | undefined;
  return {
    type: 'string' as const,
    secret: false,
    ...words,
    get schema() {
      made ??= typeof schema === 'function' ? schema() : schema;
      return made;
    },
  };
}

/** First of `[pattern, explanation]` whose pattern is in the text. */
export function explainBy(
  known: readonly (readonly [RegExp, Explanation])[],
): (stderr: string) => Explanation | undefined {
  return (stderr) => known.find(([pattern]) => pattern.test(stderr))?.[1];
}

const compare = "Compare with the vendor's documented output; report it if the format changed.";
const discarded = `${compare} What was issued was thrown away and is in no store: the cloud's own log has it, by the session or the time of this run.`;

/** The answer is not the documented JSON. Whether a token was issued cannot be told. */
export function offShape(what: string): CloudCliError<'parse_error'> {
  return new CloudCliError('parse_error', what, { part: 'shape', hint: compare, outcome: 'unknown' });
}

/** The answer holds a credential for somebody else. */
export function offIdentity(what: string): CloudCliError<'parse_error'> {
  return new CloudCliError('parse_error', what, { part: 'identity', hint: discarded, outcome: 'issued' });
}

/** The answer's expiry is missing, malformed or past. */
export function offExpiry(what: string): CloudCliError<'parse_error'> {
  return new CloudCliError('parse_error', what, { part: 'expiry', hint: compare, outcome: 'issued' });
}

/** `text` as a JSON object. The parser's own error is dropped: it quotes its input. */
export function jsonObject(text: string, binary: string): Record<string, unknown> {
  if (text.trim() === '') throw offShape(`${binary} exited with status 0 and printed nothing`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw offShape(`${binary} exited with status 0, but its output is not JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw offShape(`${binary} exited with status 0, but its output is not a JSON object`);
  }
  return value as Record<string, unknown>;
}

/** Whether `value` can be a token: visible ASCII, not empty. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);
}
