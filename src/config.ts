/** Where everything is on this host: the configuration file, under the environment. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Issue, invalidRequest, isCloudCliError } from './errors.js';
import { checkRequest, listHandlers } from './request.js';
import * as z from './zod.js';

const words = () => z.string().check(z.minLength(1));
const patterns = () => z.array(words()).check(z.minLength(1));

/** A member that may be left out, and what it is for. */
const setting = <S extends z.core.$ZodType>(schema: S, what: string) =>
  z.optional(schema).check(z.describe(what));

/**
 * The configuration file; its JSON Schema is published as `config.schema.json`. A function, since it takes longer to
 * make than a preview does, and most hosts have no such file.
 */
export const configSchema = () =>
  z.strictObject({
    $schema: setting(z.string(), 'Where the JSON Schema of this file is.'),
    audit_url: setting(words(), 'The ledger: sqlite:PATH, or postgres://HOST/DATABASE.'),
    store_url: setting(
      words(),
      'The credential store: file:DIRECTORY, vault+https:, aws-ssm:, aws-secretsmanager:, gcp-secretmanager:, azure-keyvault: or none:.',
    ),
    targets: setting(
      z.record(
        z.string().check(z.regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'must be a name of letters, digits and _.-')),
        z.record(z.string(), z.json()),
      ),
      'Named requests, for `cloud-cli mint NAME`.',
    ),
    allow: setting(
      z.array(
        z.strictObject({
          actors: setting(patterns(), 'Who may mint.'),
          providers: setting(patterns(), 'From which providers.'),
          identities: setting(patterns(), 'Role ARNs, service accounts, subscriptions or tenants.'),
          keys: setting(patterns(), 'Credential keys.'),
          max_lifetime_seconds: setting(
            z.int().check(z.minimum(1)),
            'The longest lifetime that may be asked for.',
          ),
        }),
      ),
      'Where there is a rule, nothing is allowed that no rule covers; * stands for any characters.',
    ),
    binaries: setting(
      z.record(
        z.string(),
        z
          .strictObject({
            sha256: setting(
              z.string().check(z.regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 of 64 lower-case hex digits')),
              'Of the file that is executed, links followed.',
            ),
            path: setting(
              z.string().check(z.regex(/^\//, 'must be an absolute path')),
              'Where the search of PATH must find it.',
            ),
          })
          .check(
            z.refine(
              ({ sha256, path }) => sha256 !== undefined || path !== undefined,
              'must have a sha256 or a path',
            ),
          ),
      ),
      'The vendor CLIs that may be run, by name: aws, gcloud, az. One that differs is refused.',
    ),
    http: setting(
      z.strictObject({
        step_up_max_age_seconds: setting(
          z.int().check(z.minimum(1)),
          'How old an authentication may be to preview and mint.',
        ),
        freshness_claim: setting(z.enum(['auth_time', 'iat']), 'The claim that tells when it was.'),
        max_in_flight: setting(z.int().check(z.minimum(1)), 'Mints at a time; more are answered 429.'),
        hosts: setting(
          z.array(
            z
              .string()
              .check(z.regex(/^[A-Za-z0-9.-]+$|^\[[0-9a-fA-F:.]+\]$/, 'must be a host name without a port')),
          ),
          'Names that calls may be sent to, besides those of loopback, such as admin.example.com.',
        ),
      }),
      'For `cloud-cli serve`.',
    ),
  });

export type ConfigFile = z.output<ReturnType<typeof configSchema>>;

const stepUpVariable = 'AUTH_STEP_UP_DEFAULT_MAX_AGE';

/** What a command works with. */
export interface Settings {
  home: string;
  audit_url: string;
  store_url: string;
  age_recipients: string[];
  actor: string | undefined;
  targets: NonNullable<ConfigFile['targets']>;
  allow: ConfigFile['allow'];
  binaries: NonNullable<ConfigFile['binaries']>;
  http: NonNullable<ConfigFile['http']>;
}

/**
 * Reads the configuration that `env` names; the environment beats the file.
 * @throws CloudCliError `invalid_request`, each issue naming its path in the file
 */
export function loadSettings(env: NodeJS.ProcessEnv): Settings {
  const home = resolve(given(env, 'CLOUD_CLI_HOME') ?? join(dataDirectory(env), 'cloud-cli'));
  const named = given(env, 'CLOUD_CLI_CONFIG');
  const file = readConfig(resolve(named ?? join(home, 'config.json')), named !== undefined);
  return {
    home,
    audit_url: given(env, 'CLOUD_CLI_AUDIT_URL') ?? file.audit_url ?? `sqlite:${join(home, 'audit.sqlite')}`,
    store_url: given(env, 'CLOUD_CLI_STORE_URL') ?? file.store_url ?? `file:${join(home, 'credentials')}`,
    age_recipients: (given(env, 'CLOUD_CLI_AGE_RECIPIENTS') ?? '')
      .split(/[\s,]+/)
      .filter((recipient) => recipient !== ''),
    actor: given(env, 'CLOUD_CLI_ACTOR'),
    targets: file.targets ?? {},
    allow: file.allow,
    binaries: file.binaries ?? {},
    http: { ...file.http, ...stepUpMaxAge(env) },
  };
}

function stepUpMaxAge(env: NodeJS.ProcessEnv): { step_up_max_age_seconds?: number } {
  const text = given(env, stepUpVariable);
  if (text === undefined) return {};
  if (/^[1-9][0-9]{0,8}$/.test(text)) return { step_up_max_age_seconds: Number(text) };
  throw invalidRequest(
    [{ field: stepUpVariable, message: 'must be a whole number of seconds, 1 or more' }],
    `Set it to 180 for three minutes, or unset ${stepUpVariable}.`,
  );
}

/** An empty variable counts as absent, as POSIX tools treat theirs. */
export function given(env: NodeJS.ProcessEnv, name: string): string | undefined {
  return env[name] === '' ? undefined : env[name];
}

/** XDG Base Directory Specification; Application Support on macOS. */
function dataDirectory(env: NodeJS.ProcessEnv): string {
  const home = given(env, 'HOME') ?? homedir();
  if (given(env, 'XDG_DATA_HOME')?.startsWith('/')) return env.XDG_DATA_HOME as string;
  return process.platform === 'darwin'
    ? join(home, 'Library', 'Application Support')
    : join(home, '.local', 'share');
}

function readConfig(path: string, mustExist: boolean): ConfigFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if ((code === 'ENOENT' || code === 'ENOTDIR') && !mustExist) return {};
    throw invalidRequest(
      [{ field: 'CLOUD_CLI_CONFIG', message: `${path} cannot be read (${code})` }],
      `Make it readable for this user, or unset CLOUD_CLI_CONFIG.`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badConfig(path, [{ field: 'config', message: 'is not JSON' }]);
  }
  const parsed = configSchema().safeParse(value);
  if (!parsed.success) throw badConfig(path, parsed.error.issues.flatMap(issuesOf));
  const issues = [
    ...Object.entries(parsed.data.targets ?? {}).flatMap(([name, target]) => targetIssues(name, target)),
    ...pinIssues(Object.keys(parsed.data.binaries ?? {})),
  ];
  if (issues.length > 0) throw badConfig(path, issues);
  return parsed.data;
}

/** What is wrong with a target; what it lacks may still come from flags. */
function targetIssues(name: string, target: unknown): Issue[] {
  try {
    checkRequest(target);
    return [];
  } catch (error) {
    if (!isCloudCliError(error) || error.code !== 'invalid_request') throw error;
    return error.details.issues
      .filter(({ field, message }) => field === 'provider' || message !== 'is required')
      .map(({ field, message }) => ({ field: `targets.${name}.${field}`, message }));
  }
}

/** A pin under a misspelt name would hold nothing. */
function pinIssues(names: readonly string[]): Issue[] {
  const known = listHandlers().map(({ binary }) => binary);
  return names
    .filter((name) => !known.includes(name))
    .map((name) => ({ field: `binaries.${name}`, message: `is not one of ${known.join(', ')}` }));
}

/** An unknown member is named itself, not the object that holds it. */
function issuesOf(issue: z.core.$ZodIssue): Issue[] {
  const at = (more: PropertyKey[]) => [...issue.path, ...more].map(String).join('.') || 'config';
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ field: at([key]), message: 'is not a setting' }));
  return [{ field: at([]), message: issue.message }];
}

function badConfig(path: string, issues: Issue[]) {
  return invalidRequest(issues, `Correct ${path}; its JSON Schema is config.schema.json in this package.`);
}
