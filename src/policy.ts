/** Allow rules: who may mint what. Where there is one, nothing else is allowed. */
import { hostname, userInfo } from 'node:os';
import { CloudCliError, type Issue, invalidRequest } from './errors.js';
import { type CheckedRequest, isPlainText } from './request.js';

/** One allow rule; `*` stands for any characters, and an absent member matches all. */
export interface AllowRule {
  /** Patterns of who asks. */
  actors?: readonly string[] | undefined;
  /** Patterns of the provider. */
  providers?: readonly string[] | undefined;
  /** Patterns of whom to mint for; the vendor CLI's own default is the empty text. */
  identities?: readonly string[] | undefined;
  /** Patterns of the credential key. */
  keys?: readonly string[] | undefined;
  /** A request that can live longer is not covered. */
  max_lifetime_seconds?: number | undefined;
}

/** What the rules say of a request; `rule` is the place of the one that allows it, counted from 0. */
export interface Verdict {
  /** Whether a mint would be let through. */
  allowed: boolean;
  /** The place of the rule that allows it. */
  rule?: number;
}

/** The verdict on a request, or undefined where there are no rules. */
export function judge(
  rules: readonly AllowRule[] | undefined,
  request: CheckedRequest,
  actor: string,
): Verdict | undefined {
  const given = checkRules(rules);
  if (given.length === 0) return undefined;
  const rule = given.findIndex((candidate) => covers(candidate, request, actor));
  return rule === -1 ? { allowed: false } : { allowed: true, rule };
}

const lists = ['actors', 'providers', 'identities', 'keys'];

/**
 * The rules, as code without types may pass anything: a misspelt member must not let through what it was to hold back.
 * @throws CloudCliError `invalid_request`, each issue naming the place
 */
export function checkRules(rules: unknown = []): readonly AllowRule[] {
  if (!Array.isArray(rules)) throw badRules([{ field: 'policy', message: 'must be a list of rules' }]);
  const issues = rules.flatMap((rule, index) => ruleIssues(rule, `policy.${index}`));
  if (issues.length > 0) throw badRules(issues);
  return rules;
}

function ruleIssues(rule: unknown, at: string): Issue[] {
  if (typeof rule !== 'object' || rule === null) return [{ field: at, message: 'must be a rule' }];
  return Object.entries(rule).flatMap(([name, value]): Issue[] => {
    const field = `${at}.${name}`;
    if (value === undefined) return [];
    if (name === 'max_lifetime_seconds')
      return Number.isInteger(value) && value >= 1
        ? []
        : [{ field, message: 'must be a whole number above 0' }];
    if (!lists.includes(name)) return [{ field, message: 'is not a member of a rule' }];
    const isList = Array.isArray(value) && value.every((each) => typeof each === 'string');
    return isList ? [] : [{ field, message: 'must be a list of patterns' }];
  });
}

function badRules(issues: Issue[]): CloudCliError {
  return invalidRequest(
    issues,
    `A rule has ${lists.join(', ')} and max_lifetime_seconds, each of which may be absent.`,
  );
}

/** @throws CloudCliError `policy_denied` when there are rules and none covers the request. */
export function requireAllowed(
  rules: readonly AllowRule[] | undefined,
  request: CheckedRequest,
  actor: string,
): void {
  if (judge(rules, request, actor)?.allowed === false) {
    const what = `${request.handler.name} credentials of ${request.source_identity ?? 'the default identity'} under ${request.key}`;
    throw new CloudCliError(
      'policy_denied',
      `no allow rule lets ${actor} mint ${what} for ${request.lifetime_seconds} seconds`,
      {
        hint: 'Ask for less (another identity, key or a shorter lifetime), or have a rule added to `allow` in the configuration.',
        outcome: 'not_issued',
      },
    );
  }
}

/**
 * Who asks, as the ledger will say; the user of the operating system unless told.
 * @throws CloudCliError `invalid_request` for one that could pose as something else in a listing
 */
export function actorOf(given: unknown = defaultActor()): string {
  if (typeof given === 'string' && isPlainText(given)) return given;
  throw invalidRequest(
    [{ field: 'actor', message: 'must be 1 to 256 characters without control or direction marks' }],
    'Name who asks, such as alice@example.com; on the command line in CLOUD_CLI_ACTOR.',
  );
}

function defaultActor(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a uid that has no name.
    return `uid-${process.getuid?.() ?? 'unknown'}@${hostname()}`;
  }
}

function covers(rule: AllowRule, request: CheckedRequest, actor: string): boolean {
  return (
    matchesAny(rule.actors, actor) &&
    matchesAny(rule.providers, request.handler.name) &&
    matchesAny(rule.identities, request.source_identity ?? '') &&
    matchesAny(rule.keys, request.key.toString()) &&
    request.lifetime_seconds <= (rule.max_lifetime_seconds ?? Number.POSITIVE_INFINITY)
  );
}

function matchesAny(patterns: readonly string[] | undefined, text: string): boolean {
  return patterns === undefined || patterns.some((pattern) => matches(pattern, text));
}

/** Each piece between the `*`s is taken at its first place: linear, where a regular expression would backtrack. */
function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === text;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
