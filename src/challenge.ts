/** `WWW-Authenticate` read and written: RFC 9110 section 11.6.1, and the step-up challenge of RFC 9470. */

/** One challenge; its scheme and the names of its parameters are in lower case, as neither has a case. */
export interface Challenge {
  /** Such as `bearer`. */
  scheme: string;
  /** Its parameters, without their quotes. */
  params: ReadonlyMap<string, string>;
  /** What it has instead of parameters (RFC 9110 section 11.2). */
  token68?: string;
}

/** What a step-up asks of the next authentication. */
export interface StepUp {
  /** Seconds that the authentication may be old. */
  max_age?: number;
  /** Authentication contexts, separated by spaces, the preferred first. */
  acr_values?: string;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const quoted = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t \\x21-\\x7e\\x80-\\xff])*"';
const param = new RegExp(`^(${token})[ \\t]*=[ \\t]*(?:(${token})|(${quoted}))$`);
const startOfParam = new RegExp(`^${token}[ \\t]*=`);
const opening = new RegExp(`^(${token})(?: +([^ ].*))?$`, 's');
const token68 = /^[A-Za-z0-9._~+/-]+=*$/;

/**
 * The challenges of a header, in its order. One that has a parameter twice, or anything that the grammar does not
 * have, is left out: half of a challenge must not be acted on. Takes time linear in the header's length.
 */
export function parseChallenges(header: string | null): Challenge[] {
  const found: (Challenge & { params: Map<string, string>; broken: boolean })[] = [];
  for (const element of elementsOf(header ?? '')) {
    const [, scheme, rest] = startOfParam.test(element) ? [] : (opening.exec(element) ?? []);
    if (scheme !== undefined) {
      const challenge = { scheme: scheme.toLowerCase(), params: new Map<string, string>(), broken: false };
      found.push(challenge);
      if (rest === undefined) continue;
      if (token68.test(rest)) Object.assign(challenge, { token68: rest });
      else addParam(challenge, rest);
    } else {
      const challenge = found.at(-1);
      if (challenge) addParam(challenge, element);
    }
  }
  return found.filter(({ broken }) => !broken).map(({ broken: _, ...challenge }) => challenge);
}

/** What the challenges ask for, if one of them is exactly RFC 9470's. */
export function stepUpOf(challenges: readonly Challenge[]): StepUp | undefined {
  const challenge = challenges.find(
    ({ scheme, params }) => scheme === 'bearer' && params.get('error') === 'insufficient_user_authentication',
  );
  if (!challenge) return undefined;
  const max_age = challenge.params.get('max_age');
  const acr_values = challenge.params.get('acr_values');
  if (max_age !== undefined && !(/^[0-9]+$/.test(max_age) && Number.isSafeInteger(Number(max_age))))
    return undefined;
  return {
    ...(max_age === undefined ? {} : { max_age: Number(max_age) }),
    ...(acr_values ? { acr_values } : {}),
  };
}

/**
 * The header of an answer that asks for an authentication no older than `max_age` seconds.
 * @throws TypeError for a `max_age` that is no count of seconds, and for a `description` with a character that
 *   RFC 6750 section 3 does not have, such as a quote
 */
export function stepUpChallenge({ max_age, description }: { max_age: number; description: string }): string {
  if (!Number.isSafeInteger(max_age) || max_age < 0)
    throw new TypeError('max_age must be a whole number of seconds, 0 or more');
  if (!/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(description))
    throw new TypeError('description must be printable ASCII without quotes and backslashes');
  return `Bearer error="insufficient_user_authentication", error_description="${description}", max_age="${max_age}"`;
}

/** What stands between commas outside of quoted strings, without the blanks around it; empty ones are left out. */
function elementsOf(header: string): string[] {
  const elements: string[] = [];
  let start = 0;
  let inQuotes = false;
  for (let at = 0; at <= header.length; at++) {
    const character = header[at];
    if (inQuotes && character === '\\') at++;
    else if (character === '"') inQuotes = !inQuotes;
    // An unclosed quoted string reaches to the end, where it is no parameter.
    if (at >= header.length || (character === ',' && !inQuotes)) {
      const element = trimmed(header, start, Math.min(at, header.length));
      if (element !== '') elements.push(element);
      start = at + 1;
    }
  }
  return elements;
}

/** Only the two blanks of HTTP: `trim()` would take a character of the value too. */
function trimmed(text: string, start: number, end: number): string {
  const isBlank = (at: number) => text[at] === ' ' || text[at] === '\t';
  while (start < end && isBlank(start)) start++;
  while (end > start && isBlank(end - 1)) end--;
  return text.slice(start, end);
}

function addParam(
  challenge: { params: Map<string, string>; token68?: string; broken: boolean },
  text: string,
): void {
  const [, written, plain, string] = param.exec(text) ?? [];
  const name = written?.toLowerCase();
  if (name === undefined || challenge.params.has(name) || challenge.token68 !== undefined) {
    challenge.broken = true;
  } else {
    challenge.params.set(name, plain ?? string!.slice(1, -1).replace(/\\(.)/gs, '$1'));
  }
}
