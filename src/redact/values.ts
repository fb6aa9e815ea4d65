/** What stands behind a secret's name: where it ends, and whether it is a secret, a placeholder or prose. */
import { gradeOf } from './names.js';
import { isPlain, looksRandom } from './opaque.js';
import type { Span } from './view.js';

/** No placeholder and no sentence's start is longer; what is longer is a secret, and is read only once. */
const glance = 200;

const tag = /[&!]{1,2}[A-Za-z_]+[ \t]+(?=\S)/y;
const heredoc = /<<[-~]?["']?([A-Z]\w{0,30})["']?[ \t]*\n/y;
/** Bytes, raw and formatted strings, Erlang's; wrappers such as `SecretStr('`. */
const opening =
  /(?:<<)?(?:(?:\w{0,20}Secret\w{0,20}|bytes|bytearray|Some|String)\(|ConvertTo-SecureString )?[bBfFrRuU@$]{0,2}("""|'''|["'`])/y;

/** Finds where what begins at `start` ends; the end of the text where nothing ends it. */
type EndOf = (text: string, start: number) => number;

export class Value implements Span {
  readonly start: number;
  readonly quoted: boolean;
  /** Its beginning, enough to judge it by. */
  readonly glimpse: string;
  readonly #text: string;
  readonly #endOf: EndOf;

  constructor(text: string, start: number, quoted: boolean, endOf: EndOf) {
    const window = text.slice(start, start + glance);
    this.start = start;
    this.quoted = quoted;
    this.glimpse = window.slice(0, endOf(window, 0));
    this.#text = text;
    this.#endOf = endOf;
  }

  /** Looked for only once it is known to be a secret: a hostile text has a name every few characters. */
  get end(): number {
    return this.#endOf(this.#text, this.start);
  }
}

export function valueAt(text: string, at: number): Value {
  const start = skipped(text, at);
  opening.lastIndex = start;
  const quote = opening.exec(text)?.[1];
  if (quote !== undefined)
    return new Value(text, opening.lastIndex, true, (whole, from) => closing(whole, from, quote));
  heredoc.lastIndex = start;
  const word = heredoc.exec(text)?.[1];
  if (word !== undefined) return valueUntil(text, heredoc.lastIndex, `\n${word}`);
  return new Value(text, start, false, runEnd);
}

/** YAML's anchors and tags stand before the value. */
function skipped(text: string, at: number): number {
  tag.lastIndex = at;
  return tag.test(text) ? tag.lastIndex : at;
}

/** A value that ends where `end` stands. */
export function valueUntil(text: string, start: number, end: string): Value {
  return new Value(text, start, true, (whole, from) => {
    const found = whole.indexOf(end, from);
    return found < 0 ? whole.length : found;
  });
}

/** The quote that is not escaped; in a string cut off, the end of its line. */
function closing(text: string, start: number, quote: string): number {
  for (let end = text.indexOf(quote, start); end >= 0; end = text.indexOf(quote, end + 1)) {
    let slashes = 0;
    while (text[end - 1 - slashes] === '\\') slashes++;
    if (slashes % 2 === 0) return end;
  }
  const line = text.indexOf('\n', start);
  return line < 0 ? text.length : line;
}

const blank = /[\s"'`<>│┃]|$/g;
/** The next member, parameter or pair; the end of an escaped line or string; brackets that close. */
const delimiter =
  /[,;&](?=$|["']?[A-Za-z_][\w.-]{0,60}["']?[=:])|\\(?=[nrt"'\\]|$)|[|)\]}](?=$|[,;:.)\]}|&])|&(?=amp;)/;

/** An unquoted value goes on to white space, less what belongs to the text around it. */
function runEnd(text: string, start: number): number {
  blank.lastIndex = start;
  const end = blank.exec(text)!.index;
  const cut = text.slice(start, end).search(delimiter);
  let last = cut < 0 ? end : start + cut;
  while (last > start && ',;.'.includes(text[last - 1]!)) last--;
  return last;
}

/** Words that stand where a secret is lacking, wanted or talked about. */
const prose = new Set(
  (
    'a absent access all an and any are argument array as at authentication authorization basic be been bearer because bool ' +
    'boolean but by bytes cached can cannot client could created credentials current default deleted denied disabled do does empty ' +
    'enabled env environment error expected expects expired failed failure false file flag for forbidden found from has have hidden if in ' +
    'incorrect int integer invalid is it its key known list login malformed masked may mfa missing must n/a na needed nil no ' +
    'none not null number object of off ok omitted on only optional option options or parameter password present prompt provided ' +
    'redacted refreshed rejected removed required requires revoked rotated secret sensitive session set should stdin str string success ' +
    'succeeded successful text that the this to todo token true type unauthorized unauthenticated unavailable unchanged ' +
    'undefined unexpected unknown unset unsupported updated user username valid value was when while will with without ' +
    'wrong yes you your'
  ).split(' '),
);

const placeholder = new RegExp(
  [
    /<.*|\{\{.*|\$\{.*|\$\(.*|\$[A-Za-z_]+|\$[A-Z_][A-Z\d_]*|%\w+%|\[[a-z ]+\]?/, // what a shell or template fills in
    /\*{3,}.*|[xX]{3,}|-{2,}.*|\.{2,}|…|[\w/+.-]{0,12}(?:\.{3}|…)[\w/+=-]{0,6}/, // what is masked or left out
    /\[?(?:redacted|masked|hidden|filtered|removed)\b.*/,
    /(?:your|my|some|example|insert|replace)[-_ ][a-z_ -]+/,
    /(?:value|string|text|file|name|code|id)/,
    /@(?:[./~]|-$).*|fileb?:\/\/.*/, // where the CLI is to read it
    /arn:[\w:/.@+=,-]+|projects\/[\w/.-]+|https?:\/\/[^?]*/, // whose parts are judged by themselves
    /\d{1,3}/,
  ]
    .map((part) => `^(?:${part.source})$`)
    .join('|'),
  'is',
);
const awsId = /^(?:ABIA|ACCA|AGPA|AIDA|AIPA|AKIA|ANPA|ANVA|AROA|ASCA|ASIA)[\dA-Z]{12,}(?:(?:\/|%2F)\S*)?$/;
/** `PASSWORD`, `TOKEN_CODE`: what a usage text calls the value. */
const metavariable = /^[A-Z]+(?:[_-][A-Z]+)*$/;

export function isPlaceholder(text: string): boolean {
  const value = text.trim().replace(/[.,;:!?\])}]+$/, '');
  if (value === '' || prose.has(value.toLowerCase())) return true;
  return (
    placeholder.test(value) ||
    awsId.test(value) ||
    (metavariable.test(value) && value.length <= 24 && isPlain(value))
  );
}

/** `token: the given one is no longer valid`: plain words, and more than one of them. */
export function isSentence(text: string, start: number): boolean {
  const [, first, rest] = /^(\S*)[ \t]*(\S*)/.exec(text.slice(start, start + glance))!;
  if (!/^[A-Za-z][a-z]*[,.']?[a-z]*$/.test(first!)) return /\w:$/.test(first!);
  return prose.has(first!.toLowerCase()) || /^[a-z]+[.,;:]?$/.test(rest!);
}

/** Whether a value looks like a secret where its name alone does not say so. */
export function looksSecret(value: string, typed: boolean, sure: boolean): boolean {
  if (typed) {
    return (
      value.length >= 4 &&
      /[A-Za-z]/.test(value) &&
      /[\d\W_]/.test(value) &&
      !/^[A-Z]*\d*$|\($|^\d{4}-\d\d-\d\d/.test(value)
    );
  }
  if (sure && /^(?:[\da-f]{32,}|[\dA-F]{32,})$/.test(value)) return true;
  if (value.length < 8 || isPlain(value) || /^[\da-f]{7,}$/i.test(value) || /[\s(]/.test(value)) return false;
  return /\d/.test(value) || looksRandom(value);
}

const members =
  /^(?:self|cls|this|kwargs|args|os|request|response|resp|options|params|config|settings|env|process)[.[(]/;

/** What a traceback quotes: a variable, a member, a call, a type; no value. */
export function isCode(value: string): boolean {
  if (members.test(value) || !/[A-Za-z\d]/.test(value)) return true;
  const [called] = /^[A-Za-z_][A-Za-z_.]*(?=[([])/.exec(value) ?? [];
  if (called !== undefined) return isPlain(called);
  return /^[A-Za-z_]+[_.][A-Za-z_.]*$/.test(value) && gradeOf(value) !== undefined;
}
