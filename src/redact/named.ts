/** Secrets that their name gives away: members, assignments, headers, options, elements, cells. */
import { gradeOf, lineNames, normalised, passwordFlags, secretElements, typedNames } from './names.js';
import { isPlaceholder, isSentence, looksSecret, type Value, valueAt, valueFrom } from './values.js';
import type { Span } from './view.js';

/** How far to look around a name for what it belongs to. */
const around = 160;

/** `=`, `:`, `=>` and their like, the value perhaps on the next line, in a list, or as the `value` of an object. */
const assignment =
  /\\?["'`\])]{0,2}[ \t]{0,64}(?:=>|->|:=|==?|:)[ \t]{0,64}(?:\\?\n[ \t|>]{0,64})?(?:\{\s{0,16}\\?["']?(?:value|text|plaintext|string|secretvalue)\\?["']?\s{0,4}[:=]\s{0,4}|[[(]\s{0,16}){0,2}/iy;
const block = /["']?[ \t]{0,8}:[ \t]{0,8}(?:!!?\w+[ \t]+)?[|>][+-]?\d?[+-]?[ \t]*\n/y;
const cell = /[ \t]{0,64}[|│┃][ \t]{0,64}|\t[ \t]{0,64}|[ \t]{2,64}/y;
const option = /["'],?\s{1,20}[bu]?(?=["'])|["'],(?=["'])|=|(?:\\?\s){1,20}/y;
const member = /["'],\s{0,8}b?(?=["'])/y;
const partner = /["']?(?:,\s{0,80}["']?type["']?\s{0,4}[:=]\s{0,4}["']?\w{1,40}["']?)?[,;]?\s{0,80}(?:-\s)?["']?value["']?\s{0,8}[:=]\s{0,8}/iy;
const elementEnd = /(?:\s[^<>]{0,300})?>\s{0,64}(?:<!\[CDATA\[)?/y;
const plistEnd = /<\/key>\s{0,64}<\w+>/y;
const formPart = /["'][ \t]*\n[ \t]*\n/y;
const spaces = /[ \t]{1,8}/y;

/** `login X password Y` of netrc, or `password Y` alone on its line. */
const netrc = /(?:^|\s)(?:login|user|machine|default)\s+\S{1,128}\s+$|(?:^|\n)[ \t]*$/;
const loginLine =
  /(?:^|\s)(?:login|-u|--username|--user|sshpass|mysql\w*|ldap\w+|redis-cli|sqlcmd|mongo\w*)(?:\s|["'],)/;

export function* namedSpans(text: string): Generator<Span> {
  let read = 0;
  for (const { 0: name, index } of text.matchAll(/[\w$.-]+/g)) {
    if (index < read) continue;
    const span = new Named(text, name, index).secret();
    if (span === undefined || span.end <= span.start) continue;
    yield span;
    read = span.end;
  }
}

/** One word of the text, taken as a name. */
class Named {
  readonly #text: string;
  readonly #name: string;
  readonly #end: number;
  readonly #before: string;
  readonly #sure: boolean;
  readonly #known: boolean;
  readonly #typed: boolean;
  readonly #normal: string;

  constructor(text: string, name: string, index: number) {
    this.#text = text;
    this.#name = name;
    this.#end = index + name.length;
    this.#before = text.slice(Math.max(0, index - around), index);
    this.#normal = normalised(name.slice(-80));
    const grade = gradeOf(name);
    this.#known = grade !== undefined;
    this.#sure = grade === 'secret' || (this.#normal === 'key' && keyOfWords.test(this.#before));
    this.#typed = typedNames.test(this.#normal);
  }

  secret(): Span | undefined {
    if (/<(?:[\w.-]{1,40}:)?$/.test(this.#before)) return this.#element();
    if (passwordFlags.has(this.#name)) return loginLine.test(this.#before) ? this.#option() : undefined;
    if (!this.#known) return undefined;
    if (this.#name.startsWith('-')) return this.#option() ?? this.#assigned();
    return this.#block() ?? this.#assigned() ?? this.#paired() ?? this.#inCell() ?? this.#spaced();
  }

  /** `<SecretAccessKey>...`: up to the next tag, or all of a document that is a credential. */
  #element(): Span | undefined {
    const document = secretElements.test(this.#normal);
    const start = document || this.#known ? this.#after(elementEnd) : undefined;
    if (start === undefined) return undefined;
    const end = this.#text.indexOf(document ? `${this.#name}>` : '<', start);
    const value = valueFrom(this.#text, start, end < 0 ? this.#text.length : end, true);
    if (!document) return this.#judged(value);
    return end < 0 ? value : { start, end: Math.max(start, this.#text.lastIndexOf('<', end)) };
  }

  /** `--password X`, `-p X`, `--password=X`, and the same as items of an argv. */
  #option(): Span | undefined {
    const start = this.#after(option);
    if (start === undefined) return undefined;
    const value = valueAt(this.#text, start);
    return /^--?[A-Za-z][\w-]*$/.test(value.glimpse) ? undefined : this.#judged(value);
  }

  /** YAML's `password: |` and the lines that are indented deeper than it. */
  #block(): Span | undefined {
    const start = this.#after(block);
    if (start === undefined || !this.#sure) return undefined;
    const indent = /(?:^|\n)([ \t]*)[^\n]*$/.exec(this.#before)?.[1] ?? '';
    const deeper = new RegExp(`(?:${indent}[ \\t]+[^\\n]*(?:\\n|$)|[ \\t]*\\n)*`, 'y');
    deeper.lastIndex = start;
    deeper.test(this.#text);
    return { start, end: start + this.#text.slice(start, deeper.lastIndex).trimEnd().length };
  }

  #assigned(): Span | undefined {
    const start = this.#after(assignment);
    if (start === undefined) return undefined;
    const sign = this.#text.slice(this.#end, start);
    const first = valueAt(this.#text, start);
    if (lineNames.test(this.#normal)) return this.#line(first);
    const value = /[[(]\s*$/.test(sign) && first.quoted ? this.#list(first) : first;
    const inText = !/^\\?["'`\])]/.test(sign) && !sign.includes('=');
    if (inText && !value.quoted && isSentence(this.#text, start)) return this.#phrase(start);
    // `secret:prod/db` of an ARN, `token:read` of a scope: joined names, no value.
    if (sign === ':' && /[\w-]:$/.test(this.#before)) return undefined;
    const joined = sign === ':' && !value.quoted && !/[{,[(\s]$|^$/.test(this.#before);
    const told = inText && /[a-z)] $/.test(this.#before);
    if (joined || told || (sign.includes('\n') && !value.quoted)) return this.#doubted(value);
    return this.#judged(inText || value.quoted ? value : this.#wholeLine(value));
  }

  /** `(name, value)`, `{name: NAME, value: VALUE}` and their like. */
  #paired(): Span | undefined {
    if (this.#before.endsWith('<key>'))
      return this.#judgedAt(this.#after(plistEnd), (start) => this.#text.indexOf('<', start));
    if (/[[(]\s{0,8}b?["']$/.test(this.#before)) {
      const start = this.#after(member);
      const value = start === undefined ? undefined : valueAt(this.#text, start);
      return value && /^["']\s{0,8}[\])]/.test(this.#text.slice(value.end, value.end + 10))
        ? this.#judged(value)
        : undefined;
    }
    if (
      !/(?:name|key|field|header|variable|id)["']?\s{0,4}[:=]\s{0,4}["']?[\w/.-]{0,100}$/i.test(this.#before)
    )
      return undefined;
    const element = this.#after(/["'][^<>]{0,100}>(?!<)/y);
    if (element !== undefined) return this.#judgedAt(element, (start) => this.#text.indexOf('<', start));
    const part = this.#after(formPart);
    if (part !== undefined) return this.#judgedAt(part, (start) => this.#text.indexOf('\n', start));
    const start = this.#after(partner);
    return start === undefined ? undefined : this.#judged(valueAt(this.#text, start));
  }

  /** `| SecretAccessKey | value |`, and `SecretAccessKey   value` at the start of a line. */
  #inCell(): Span | undefined {
    if (!/(?:^|\n)[\s|│┃]*(?:[A-Z]\w{0,30} ){0,3}$/.test(this.#before)) return undefined;
    const start = this.#after(cell);
    if (start === undefined) return undefined;
    const value = valueAt(this.#text, start);
    if (/^[A-Z][A-Za-z]*$/.test(value.glimpse)) return undefined;
    return /[|│┃\t]/.test(this.#text.slice(this.#end, start)) ? this.#judged(value) : this.#doubted(value);
  }

  /** netrc's `password X`, and `the password 'X' is wrong`. */
  #spaced(): Span | undefined {
    const start = this.#typed ? this.#after(spaces) : undefined;
    if (start === undefined) return undefined;
    const value = valueAt(this.#text, start);
    if (!value.quoted && !netrc.test(this.#before)) return undefined;
    const alone = /^[ \t]*(?:\n|$|account\s)/.test(this.#text.slice(value.end, value.end + 80));
    return alone || value.quoted || /login|user/.test(this.#before) ? this.#doubted(value) : undefined;
  }

  /** Cookies, and an Authorization header after its scheme. */
  #line(value: Value): Span | undefined {
    const { start, end, quoted, glimpse } = value;
    if (/^AWS4-/.test(glimpse)) return undefined;
    if (/cookie$/.test(this.#normal) ? /^[^\s=]+=/.test(glimpse) : /^Digest\s/i.test(glimpse)) {
      return {
        start,
        end: quoted
          ? end
          : this.#find(/cookie$/.test(this.#normal) ? /[\n"'`\]]|\\[nr]|$/g : /\n|\\[nr]|$/g, start),
      };
    }
    const scheme = /^[A-Za-z][\w-]{1,30}[ \t]+(?=[^\s])/.exec(this.#text.slice(start, start + 64))?.[0];
    if (scheme === undefined) return this.#judged(value);
    const rest = quoted
      ? valueFrom(this.#text, start + scheme.length, end, true)
      : valueAt(this.#text, start + scheme.length);
    if (
      /^(?:Bearer|Basic|Negotiate|NTLM|Token|ApiKey|AWS|GoogleLogin|Shared\w+|OAuth|MAC|D?PoP|Hawk|Splunk)\s/i.test(
        scheme,
      )
    )
      return this.#judged(rest);
    return this.#doubted(rest);
  }

  /** Items of a list, up to the last of its strings. */
  #list(first: Value): Value {
    let last = first;
    for (let next = this.#stick(/["']\s{0,40},\s{0,40}b?(?=["'])/y, last.end); next !== undefined; ) {
      last = valueAt(this.#text, next);
      next =
        last.quoted && last.end > next
          ? this.#stick(/["']\s{0,40},\s{0,40}b?(?=["'])/y, last.end)
          : undefined;
    }
    return valueFrom(this.#text, first.start, last.end, true);
  }

  /** `env` prints values with spaces bare; the next line tells that this is what it did. */
  #wholeLine(value: Value): Value {
    if (!/(?:^|\n)(?:[A-Za-z_.]*)$/.test(this.#before) || !/^[A-Z][A-Z\d_]*$/.test(this.#name)) return value;
    const rest = /^[^\n]{0,200}/.exec(this.#text.slice(value.end, value.end + 201))![0];
    const end = value.end + rest.length;
    if (rest === '' || /[=]| -/.test(rest) || !/^\n[A-Za-z_]\w*=/.test(this.#text.slice(end, end + 80)))
      return value;
    return valueFrom(this.#text, value.start, end, false);
  }

  /** `password: correct horse battery staple`: plain words, none of which talks about a password. */
  #phrase(start: number): Span | undefined {
    if (!this.#typed || !/(?:^|\n)[ \t]*$/.test(this.#before)) return undefined;
    const line = /^[^\n]{0,200}/.exec(this.#text.slice(start, start + 200))![0].trimEnd();
    const words = line.split(' ');
    return words.length > 1 && words.every((word) => /^[a-z]+$/i.test(word) && !isPlaceholder(word))
      ? { start, end: start + line.length }
      : undefined;
  }

  #judgedAt(start: number | undefined, endOf: (start: number) => number): Span | undefined {
    if (start === undefined) return undefined;
    const end = endOf(start);
    return this.#judged(valueFrom(this.#text, start, end < 0 ? this.#text.length : end, true));
  }

  #judged(value: Value): Span | undefined {
    if (!this.#sure && !passwordFlags.has(this.#name)) return this.#doubted(value);
    return isPlaceholder(value.glimpse) ? undefined : value;
  }

  #doubted(value: Value): Span | undefined {
    if (isPlaceholder(value.glimpse)) return undefined;
    return looksSecret(value.glimpse, this.#typed) ? value : undefined;
  }

  #after(pattern: RegExp): number | undefined {
    return this.#stick(pattern, this.#end);
  }

  #stick(pattern: RegExp, at: number): number | undefined {
    pattern.lastIndex = at;
    return pattern.test(this.#text) ? pattern.lastIndex : undefined;
  }

  #find(pattern: RegExp, from: number): number {
    pattern.lastIndex = from;
    return pattern.exec(this.#text)!.index;
  }
}

const keyOfWords = /(?:secret|access|api|account|private|shared|storage|signing|master|encryption)[ _-]$/i;
