/** A request's way from untrusted JSON to checked values: the one place where every surface is validated. */
import { createHash } from 'node:crypto';
import { type Issue, invalidRequest } from './errors.js';
import {
  defaulted,
  type Field,
  type Fields,
  type Handler,
  optional,
  required,
  type Values,
} from './handler.js';
import { handlers as builtIn } from './handlers/index.js';
import { CredentialKey, credentialKeyGrammar, isCredentialKey } from './key.js';
import { newRunId, runIdPattern } from './run-id.js';
import { Secret } from './secret.js';
import * as z from './zod.js';

/** Seconds that a vendor CLI may take, unless a request asks for less. */
export const defaultTimeoutSeconds = 60;

/** The fields that every provider has. */
export const commonFields = {
  target_credential_key: required(
    () => z.string().check(z.refine(isCredentialKey, `must be ${credentialKeyGrammar}`)),
    {
      label: 'Credential key',
      help: 'Where the credential is kept and found again, such as idp:aws:prod.',
    },
  ),
  run_id: optional(
    () => z.string().check(z.regex(runIdPattern, 'must be a UUIDv7 in lower case, as a preview gives')),
    {
      label: 'Run ID',
      help: 'The id of a preview, to mint exactly that.',
    },
  ),
  timeout_seconds: defaulted(() => z.seconds(1, 60), defaultTimeoutSeconds, {
    label: 'Timeout (seconds)',
    help: 'How long the vendor CLI may take: 1 to 60.',
    type: 'integer',
  }),
  reason: optional(
    () =>
      z
        .string()
        .check(z.refine(isPlainText, 'must be 1 to 256 characters without control or direction marks')),
    {
      label: 'Reason',
      help: 'Why the credential is needed, for the ledger: at most 256 characters.',
    },
  ),
} satisfies Fields;

/** Providers besides the built-in ones, by name or as a list. */
export type MoreHandlers = Readonly<Record<string, Handler>> | readonly Handler[];

/** A request that may be minted. */
export interface CheckedRequest {
  handler: Handler;
  values: Values<Fields>;
  key: CredentialKey;
  run_id: string;
  /** Whether the caller chose the run id, so that it may name a run that exists. */
  run_id_given: boolean;
  timeout_seconds: number;
  reason: string | null;
  /** Whom the credential is asked for; null where that is left to the vendor CLI's own default. */
  source_identity: string | null;
  session_name: string | null;
  /** The most seconds that the credential can live. */
  lifetime_seconds: number;
  /** The most seconds that anything can live which the vendor CLI may have been issued on the way. */
  exposure_seconds: number;
  /** Equal for requests that ask for the same credential, whatever their run id, timeout and reason. */
  readonly digest: string;
}

/**
 * Checks a request of any origin.
 * @throws CloudCliError `invalid_request`, with one issue for each thing wrong; no value is quoted.
 */
export function checkRequest(request: unknown, more: MoreHandlers = {}): CheckedRequest {
  const given = ownMembers(request);
  const handler = findHandler(given, more);
  const fields = everyFieldOf(handler);
  const issues: Issue[] = [];
  const asked = new Map<string, unknown>();

  for (const [name, value] of given) {
    if (name === 'provider') continue;
    const field = fields.get(name);
    if (!field) issues.push({ field: printable(name), message: `is not a field of ${handler.name}` });
    else asked.set(name, check(name, field, value, issues));
  }
  for (const [name, field] of fields) {
    if (field.required && !asked.has(name)) issues.push({ field: name, message: 'is required' });
  }
  for (const group of handler.exclusive) {
    const both = group.filter((name) => asked.has(name));
    for (const name of both.slice(1))
      issues.push({ field: name, message: `must not be given together with ${both[0]}` });
  }
  if (issues.length > 0)
    throw invalidRequest(
      issues,
      `Correct the request; \`cloud-cli handlers --json\` lists the fields of ${handler.name}.`,
    );

  const run_id = (asked.get('run_id') as string | undefined) ?? newRunId();
  const values = withDefaults(fields, asked, run_id);
  const lifetime_seconds =
    typeof handler.lifetime === 'number' ? handler.lifetime : (values[handler.lifetime] as number);
  return {
    handler,
    values: values as Values<Fields>,
    key: CredentialKey.parse(values.target_credential_key as string),
    run_id,
    run_id_given: asked.has('run_id'),
    timeout_seconds: values.timeout_seconds as number,
    reason: (values.reason as string | undefined) ?? null,
    source_identity: firstOf(handler.identity, values),
    session_name: handler.session_name ? firstOf([handler.session_name], values) : null,
    lifetime_seconds,
    exposure_seconds: Math.max(lifetime_seconds, handler.dropped_lifetime ?? 0),
    get digest() {
      return digest(handler, fields, asked);
    },
  };
}

/** A provider's fields as a form or a flag list needs them. */
export interface FieldInfo {
  /** As in a request; the flag is the same in kebab-case. */
  name: string;
  /** Its name for a person. */
  label: string;
  /** One sentence: what it is and what it must look like. */
  help: string;
  /** How it is asked for. */
  type: Field['type'];
  /** Whether a request must have it. */
  required: boolean;
  /** Whether it must not be shown. */
  secret: boolean;
  /** Used when it is absent; in a string, `<run_id>` stands for the id of the run. */
  default?: string | number;
}

/** The fields to ask a person for, in the order to ask: all but `provider` and `run_id`. */
export function fieldsOf(handler: Handler): FieldInfo[] {
  const { target_credential_key, timeout_seconds, reason } = commonFields;
  return Object.entries<Field>({ target_credential_key, ...handler.fields, timeout_seconds, reason }).map(
    ([name, { label, help, type, required, secret, default: value }]) => ({
      name,
      label,
      help,
      type,
      required,
      secret,
      ...(value === undefined ? {} : { default: value }),
    }),
  );
}

/** The built-in providers and those of the embedder, the latter first. */
export function listHandlers(more: MoreHandlers = {}): Handler[] {
  const own = Object.values<Handler>(more);
  return [
    ...own,
    ...Object.values<Handler>(builtIn).filter(({ name }) => !own.some((handler) => handler.name === name)),
  ];
}

type FieldsByName = ReadonlyMap<string, Field>;

/** What a handler's fields are does not change, and every request asks for them. */
const fieldsOfHandlers = new WeakMap<Handler, FieldsByName>();

function everyFieldOf(handler: Handler): FieldsByName {
  const known = fieldsOfHandlers.get(handler);
  if (known) return known;
  const fields = new Map(Object.entries<Field>({ ...commonFields, ...handler.fields }));
  fieldsOfHandlers.set(handler, fields);
  return fields;
}

function ownMembers(request: unknown): Map<string, unknown> {
  const prototype =
    typeof request === 'object' && request !== null ? Object.getPrototypeOf(request) : undefined;
  if (prototype !== null && prototype !== Object.prototype) {
    throw invalidRequest(
      [{ field: 'request', message: 'must be a JSON object' }],
      'Send the request as one JSON object.',
    );
  }
  return new Map(Object.entries(request as object));
}

function findHandler(given: Map<string, unknown>, more: MoreHandlers): Handler {
  const known = listHandlers(more);
  const handler = known.find(({ name }) => name === given.get('provider'));
  if (handler) return handler;
  const names = known.map(({ name }) => name).join(', ');
  const message = given.has('provider') ? `must be one of ${names}` : `is required: one of ${names}`;
  throw invalidRequest([{ field: 'provider', message }], 'Name a provider that `cloud-cli handlers` lists.');
}

function check(name: string, field: Field, value: unknown, issues: Issue[]): unknown {
  // zod leaves such a key out without a word, and nothing that was asked for may be lost.
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__')) {
    issues.push({ field: name, message: 'must not have the key __proto__' });
    return undefined;
  }
  const parsed = z.safeParse(field.schema, value);
  if (parsed.success && !(field.required === false && parsed.data === undefined)) return parsed.data;
  const messages = parsed.success ? ['must not be undefined'] : tellingOf(parsed.error.issues).map(wordsOf);
  issues.push({ field: name, message: [...new Set(messages)].join(', and ') });
  return undefined;
}

/** Of a value of the wrong type nothing else is worth saying, and of a bad key what is bad about it. */
function tellingOf(issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] {
  const ofType = issues.filter(({ code, path }) => code === 'invalid_type' && path.length === 0);
  if (ofType.length > 0) return ofType;
  return issues.flatMap((issue) => (issue.code === 'invalid_key' ? issue.issues : [issue]));
}

/** A schema's own words, and ours where zod would use its. */
function wordsOf(issue: z.core.$ZodIssue): string {
  if (!/^(?:Invalid input|Too small|Too big)/.test(issue.message)) return issue.message;
  if (issue.code === 'invalid_type') return `must be ${kinds[issue.expected] ?? `of type ${issue.expected}`}`;
  if (issue.code === 'too_small') return `must ${measures[issue.origin] ?? 'be'} at least ${issue.minimum}`;
  if (issue.code === 'too_big') return `must ${measures[issue.origin] ?? 'be'} at most ${issue.maximum}`;
  return issue.message;
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  array: 'a list',
  record: 'a map of text',
  object: 'an object',
};
const measures: Readonly<Record<string, string>> = { string: 'have', array: 'hold', number: 'be', int: 'be' };

function withDefaults(
  fields: FieldsByName,
  asked: Map<string, unknown>,
  run_id: string,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, field] of fields) {
    const value = asked.has(name) ? asked.get(name) : field.default;
    if (value !== undefined)
      values[name] = typeof value === 'string' ? value.replace('<run_id>', run_id) : value;
  }
  return values;
}

function firstOf(names: readonly string[], values: Record<string, unknown>): string | null {
  const name = names.find((candidate) => values[candidate] !== undefined);
  return name === undefined ? null : (values[name] as string);
}

/**
 * Secrets count by their presence only: a digest of six digits would tell them. Run id, timeout and reason are
 * about the run, not about the credential.
 */
function digest(handler: Handler, fields: FieldsByName, asked: Map<string, unknown>): string {
  const ofTheRun = new Set(['run_id', 'timeout_seconds', 'reason']);
  const members = [...fields]
    .filter(([name]) => !ofTheRun.has(name))
    .map(([name, field]) => [name, asked.has(name) ? asked.get(name) : field.default])
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, sorted(value)]);
  return createHash('sha256')
    .update(JSON.stringify([handler.name, members]))
    .digest('hex');
}

/** A map's members in one order, since {a, b} and {b, a} ask for the same. */
function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || value instanceof Secret)
    return value;
  return Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
}

/** Text for one line of a ledger: no control characters, line or direction marks, zero-width or lone surrogates. */
export function isPlainText(text: string): boolean {
  // Almost every text is of these, and the classes below take half a millisecond to make.
  if (/^[\x21-\x7e]{1,256}$/.test(text)) return true;
  const length = [...text].length;
  return (
    length >= 1 && length <= 256 && text.trim() !== '' && !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text)
  );
}

/** A name from outside, safe to show in an issue. */
function printable(name: string): string {
  return name.replace(/[^\x21-\x7e]/g, '?').slice(0, 64) || '(empty)';
}
