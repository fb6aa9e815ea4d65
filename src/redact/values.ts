/** What stands behind a secret's name: where it ends, and whether it is a secret, a placeholder or prose. */
import { isPlain } from './opaque.js';
import type { Span } from './view.js';

/** No placeholder and no sentence's start is longer; what is longer is a secret, and is read only once. */
const glance = 200;

/** Bytes, raw and formatted strings; wrappers such as `SecretStr('`; YAML's tags. */
const opening =
  /(?:!!?[a-z]+ )?(?:[A-Za-z][\w.-]{0,40}(?:\(|[ ](?=["'])))?[bBfFrRuU@$]{0,2}("""|'''|["'`“‘])/y;
const closers: Record<string, string> = { '“': '”', '‘': '’' };

export interface Value extends Span {
  readonly quoted: boolean;
  /** Its beginning, enough to judge it by. */
  readonly glimpse: string;
}

export function valueAt(text: string, at: number): Value {
  opening.lastIndex = at;
  const quote = opening.exec(text)?.[1];
  if (quote !== undefined) {
    const start = opening.lastIndex;
    return valueFrom(text, start, closing(text, start, closers[quote] ?? quote), true);
  }
  return valueFrom(text, at, runEnd(text, at), false);
}

export function valueFrom(text: string, start: number, end: number, quoted: boolean): Value {
  return { start, end, quoted, glimpse: text.slice(start, Math.min(end, start + glance)) };
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
  /[,;&](?=$|["']?[A-Za-z_][\w.-]{0,60}["']?[=:])|\\(?=[nrt"'\\]|$)|[|)\]}](?=$|[,;:.)\]}|&])|&(?=amp;)|[,;.]+$/;

/** An unquoted value goes on to white space, less what belongs to the text around it. */
function runEnd(text: string, start: number): number {
  blank.lastIndex = start;
  const end = blank.exec(text)!.index;
  const cut = text.slice(start, end).search(delimiter);
  return cut < 0 ? end : start + cut;
}

/** Words that stand where a secret is lacking, wanted or talked about. */
const prose = new Set(
  (
    'a absent access all an and any are argument array as at authentication authorization basic be been bearer because bool ' +
    'boolean but by bytes cached can cannot client could created credentials default deleted denied disabled do does empty ' +
    'enabled env environment error expected expects expired failed failure false file flag for forbidden found from has have hidden if in ' +
    'incorrect int integer invalid is it its key list login malformed masked may mfa missing must n/a na needed nil no ' +
    'none not null number object of off ok omitted on only optional option or parameter password present prompt provided ' +
    'redacted refreshed rejected removed required requires revoked rotated secret session set should stdin str string success ' +
    'succeeded successful text that the this to todo token true type unauthorized unauthenticated unavailable unchanged ' +
    'undefined unexpected unknown unset unsupported updated user username valid value was when while will with without ' +
    'wrong yes you your'
  ).split(' '),
);

const placeholder = new RegExp(
  [
    /<.*|\{\{.*|\$\{.*|\$\(.*|\$[A-Za-z_]+|\$[A-Z_][A-Z\d_]*|%\w+%|\[[a-z ]+\]?/, // what a shell or template fills in
    /\*{3,}.*|[xX]{3,}|-{2,}[^-].*|\.{2,}|…|[\w/+.-]{0,12}(?:\.{3}|…)[\w/+=-]{0,6}/, // what is masked or left out
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
export function looksSecret(value: string, typed: boolean): boolean {
  if (typed)
    return (
      value.length >= 4 &&
      /[A-Za-z]/.test(value) &&
      /[\d\W_]/.test(value) &&
      !/^[A-Z]*\d*$|^[\w.]+\($/.test(value)
    );
  return value.length >= 8 && !isPlain(value) && !/^[\da-f]{7,}$/i.test(value) && !/[\s(]/.test(value);
}
