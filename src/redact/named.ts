/** Secrets that their name gives away: members, assignments, headers, options, elements, cells. */
import {
  gradeOf,
  keyOfWords,
  lineNames,
  normalised,
  passwordFlags,
  secretElements,
  typedNames,
} from './names.js';
import { isMixed } from './opaque.js';
import { isCode, isPlaceholder, isSentence, looksSecret, type Value, valueAt, valueUntil } from './values.js';
import type { Span } from './view.js';

/** How far to look around a name for what it belongs to. */
const around = 160;

/** `=`, `:`, `=>` and their like, the value perhaps on the next line, in a list, or as the `value` of an object. */
const assignment =
  /\\?["'`\])]{0,2}[ \t]{0,64}(?:=>|->|:=|==?|::?)[ \t]{0,64}(?:string\(\d{1,6}\)[ \t]{0,4}|\\?\n[ \t|>]{0,64})?(?:\{\s{0,16}\\?["']?(?:value|text|plaintext|string|secretvalue)\\?["']?\s{0,4}[:=]\s{0,4}|[[(]\s{0,16}){0,2}/iy;
const block = /["']?[ \t]{0,8}:[ \t]{0,8}(?:!!?\w+[ \t]+)?[|>][+-]?\d?[+-]?[ \t]*\n/y;
const cell = /[ \t]{0,64}[|│┃][ \t]{0,64}|\t[ \t]{0,64}|[ \t]{2,64}/y;
const option = /["'],?\s{1,20}[bu]?(?=["'])|["'],(?=["'])|=|(?:\\?\s){1,20}/y;
const nested = /\s{0,8}\{\s{0,16}["']?value["']?\s{0,4}[:=]\s{0,4}/iy;
const member = /["']?,\s{0,8}b?(?=["']|<<)/y;
/** The value of a pair may have other members before it, on its line. */
const partner = /["']?(?:[^{}<>\n]{0,120}?[\s,;"']|\s{0,80})["']?value["']?\s{0,8}[:=]\s{0,8}/iy;
const valueFirst =
  /["']?value["']?\s{0,4}[:=]\s{0,4}["']([^"']{1,120})["']\s{0,4},\s{0,20}["']?(?:name|key)["']?\s{0,4}[:=]\s{0,4}["']?$/i;
const elementEnd = /(?:\s[^<>]{0,300})?>\s{0,64}(?:<!\[CDATA\[)?/y;
const elementPair = /<\/(?:key|name)>\s{0,64}(?:<type>\w{1,40}<\/type>\s{0,64})?<(?:string|value)>/iy;
const pairStart = /(?:name|key|field|header|variable|id)["']?\s{0,4}[:=]\s{0,4}["']?[\w/.-]{0,100}$/i;
const elementText = /["'][^<>]{0,100}>(?!<)/y;
const formPart = /["'][ \t]*\n[ \t]*\n/y;
const spaces = /[ \t]{1,8}/y;
const telling = /[ \t]{1,8}(?:(?:is|was|value|of|not|valid|provided)[: \t]{1,4}){0,3}/y;
const nextItem = /["']\s{0,40}(?:,|->)\s{0,40}b?(?=["'])/y;
const lineEnd = /\n|\\[nr]|$/g;
const cookiesEnd = /[\n"'`\]]|\\[nr]|$/g;
const schemes =
  /^(?:Bearer|Basic|Negotiate|NTLM|Token|ApiKey|AWS|GoogleLogin|Shared\w+|OAuth|MAC|D?PoP|Hawk|Splunk)\s/i;

/** `login X password Y` of netrc, or `password Y` alone on its line. */
const netrc = /(?:^|\s)(?:login|user|machine|default)\s+\S{1,128}\s+$|(?:^|\n)[ \t]*$/;
const loginLine =
  /(?:^|[\s"'])(?:login|-u|--username|--user|sshpass|mysql\w*|ldap\w+|redis-cli|sqlcmd|mongo\w*)(?:\s|["'],)/;

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
    return (
      this.#block() ??
      this.#nested() ??
      this.#assigned() ??
      this.#paired() ??
      this.#inCell() ??
      this.#spaced()
    );
  }

  /** `<SecretAccessKey>...`: up to the next tag, or all of a document that is a credential. */
  #element(): Span | undefined {
    const document = secretElements.test(this.#normal);
    const start = document || this.#known ? this.#after(elementEnd) : undefined;
    if (start === undefined) return undefined;
    if (!document) {
      const value = valueUntil(this.#text, start, '<');
      // `--password <password>  The password` is a usage text.
      const closed = !/\s/.test(value.glimpse.trim()) || this.#text.startsWith('</', value.end);
      // Or the document was cut off, and other words follow.
      return closed ? this.#judged(value) : this.#doubted(valueAt(this.#text, start));
    }
    const { end } = valueUntil(this.#text, start, `${this.#name}>`);
    return {
      start,
      end: end === this.#text.length ? end : Math.max(start, this.#text.lastIndexOf('<', end)),
    };
  }

  /** `--password X`, `-p X`, `--password=X`, and the same as items of an argv. */
  #option(): Span | undefined {
    const start = this.#after(option);
    if (start === undefined) return undefined;
    const value = valueAt(this.#text, start);
    // Another option follows; or `-p` is a port or a path, as in `docker run -u 1000 -p 8080:80`.
    if (/^--?[A-Za-z][\w-]*$/.test(value.glimpse)) return undefined;
    if (passwordFlags.has(this.#name) && /^(?:\d{1,5}(?:[.:]\d{1,5})*)?$|^[./~]/.test(value.glimpse))
      return undefined;
    return this.#judged(value);
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

  /** Protobuf's `token { value: X }`. */
  #nested(): Span | undefined {
    const start = this.#after(nested);
    return start === undefined ? undefined : this.#judged(valueAt(this.#text, start));
  }

  #assigned(): Span | undefined {
    const start = this.#after(assignment);
    if (start === undefined) return undefined;
    const sign = this.#text.slice(this.#end, start);
    const value = valueAt(this.#text, start);
    if (lineNames.test(this.#normal)) return this.#line(value);
    const inText = !/^\\?["'`\])]/.test(sign) && !sign.includes('=');
    if (inText && !value.quoted && isSentence(this.#text, start)) return this.#phrase(start);
    if (!value.quoted && isCode(value.glimpse)) return undefined;
    // The user of an address; its password has a shape of its own.
    if (sign === ':' && this.#before.endsWith('://')) return undefined;
    // `secret:prod/db` of an ARN, `token:read` of a scope: joined names, no value.
    if (sign === ':' && /[\w-]:$/.test(this.#before)) return undefined;
    // `Password:` was a prompt; the next line has a name of its own.
    if (sign.includes('\n') && !value.quoted && /^[A-Za-z_][\w.-]*[=:](?=[^\s=])/.test(value.glimpse))
      return undefined;
    const joined = sign === ':' && !value.quoted && !/[{,[(\s]$|^$/.test(this.#before);
    const told = inText && /[a-z)] $/.test(this.#before);
    if (joined || told || (sign.includes('\n') && !value.quoted)) return this.#doubted(value);
    const span = this.#judged(value);
    return span && this.#extended(span, sign);
  }

  /** `(name, value)`, `{name: NAME, value: VALUE}` and their like. */
  #paired(): Span | undefined {
    if (/[[({]\s{0,8}b?["']?$/.test(this.#before)) {
      const start = this.#after(member);
      const value = start === undefined ? undefined : valueAt(this.#text, start);
      if (value && /^["'](?:>>)?\s{0,8}[\])}]/.test(this.#text.slice(value.end, value.end + 12)))
        return this.#judged(value);
    }
    if (/<(?:key|name)>[\w/.-]{0,100}$/i.test(this.#before))
      return this.#judgedUntil(this.#after(elementPair), '<');
    if (!pairStart.test(this.#before)) return undefined;
    const earlier = valueFirst.exec(this.#before)?.[1];
    if (earlier !== undefined && !isPlaceholder(earlier)) {
      const start = this.#end - this.#name.length - this.#before.length + this.#before.lastIndexOf(earlier);
      return { start, end: start + earlier.length };
    }
    const start = this.#after(partner);
    if (start !== undefined) return this.#judged(valueAt(this.#text, start));
    return this.#judgedUntil(this.#after(elementText), '<') ?? this.#judgedUntil(this.#after(formPart), '\n');
  }

  /** `| SecretAccessKey | value |`, and `SecretAccessKey   value` at the start of a line. */
  #inCell(): Span | undefined {
    if (!/(?:^|\n|[|│┃])[\s|│┃]*(?:[A-Z]\w{0,30} ){0,3}$/.test(this.#before)) return undefined;
    const start = this.#after(cell);
    if (start === undefined) return undefined;
    const value = valueAt(this.#text, start);
    if (/^[A-Z][A-Za-z]*$/.test(value.glimpse)) return undefined;
    return /[|│┃\t]/.test(this.#text.slice(this.#end, start)) ? this.#judged(value) : this.#doubted(value);
  }

  /** netrc's `password X`, csh's `setenv X Y`, `the password 'X' is wrong`, `the token X was rejected`. */
  #spaced(): Span | undefined {
    const told = this.#sure ? this.#after(telling) : undefined;
    if (told === undefined) return undefined;
    const word = valueAt(this.#text, told);
    if (isMixed(word.glimpse) || (word.quoted && (this.#typed || word.glimpse.length >= 16)))
      return this.#doubted(word);
    const start = this.#after(spaces);
    if (start === undefined) return undefined;
    const value = valueAt(this.#text, start);
    if (/(?:^|\s)(?:setenv|set -\w{1,4})\s+$/.test(this.#before)) return this.#judged(value);
    if (!this.#typed || !netrc.test(this.#before)) return undefined;
    // Nothing else is written like this, so that the password may be a plain word.
    if (/(?:^|\s)(?:machine\s+\S{1,128}|default)\s+login\s+\S{1,128}\s+$/.test(this.#before))
      return this.#judged(value);
    const alone = /^[ \t]*(?:\n|$|account\s)/.test(this.#text.slice(value.end, value.end + 80));
    return alone || /login|user/.test(this.#before) ? this.#doubted(value) : undefined;
  }

  /** Cookies to the end of their line; an Authorization header after its scheme. */
  #line(value: Value): Span | undefined {
    const { start, quoted } = value;
    const ahead = this.#text.slice(start, start + around);
    // Its parts have names: of them only the signature is secret.
    if (/^AWS4-/.test(ahead)) return undefined;
    const cookies = this.#normal.endsWith('cookie');
    if (cookies ? /^[^\s=]+=/.test(ahead) : /^Digest\s/i.test(ahead)) {
      return { start, end: quoted ? value.end : this.#find(cookies ? cookiesEnd : lineEnd, start) };
    }
    const scheme = /^[A-Za-z][\w-]{1,30}[ \t]+(?=\S)/.exec(ahead)?.[0];
    if (scheme === undefined) return this.#judged(value);
    const credentials = valueAt(this.#text, start + scheme.length);
    return schemes.test(scheme) ? this.#judged(credentials) : this.#doubted(credentials);
  }

  /** More than its first word or item: a list of strings, or a line that `env` printed without quotes. */
  #extended({ start, end }: Span, sign: string): Span {
    if (/[[(]\s*$/.test(sign) || /^["'] {0,4}->/.test(this.#text.slice(end, end + 8)))
      return { start, end: this.#listEnd(end) };
    if (!/(?:^|\n)(?:export )?$/.test(this.#before) || !/^[A-Z][A-Z\d_]*$/.test(this.#name))
      return { start, end };
    const rest = /^[^\n]{0,200}/.exec(this.#text.slice(end, end + 200))![0];
    const next = this.#text.slice(end + rest.length, end + rest.length + 80);
    // The line after it tells that this is what `env` does; a command after an assignment has its own options.
    return /^\n[A-Za-z_]\w*=/.test(next) && !/=| -/.test(rest)
      ? { start, end: end + rest.length }
      : { start, end };
  }

  #listEnd(first: number): number {
    let end = first;
    for (let next = this.#stick(nextItem, end); next !== undefined; next = this.#stick(nextItem, end)) {
      const item = valueAt(this.#text, next);
      if (!item.quoted) return end;
      end = item.end;
    }
    return end;
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

  #judgedUntil(start: number | undefined, end: string): Span | undefined {
    return start === undefined ? undefined : this.#judged(valueUntil(this.#text, start, end));
  }

  #judged(value: Value): Span | undefined {
    if (!this.#sure && !passwordFlags.has(this.#name)) return this.#doubted(value);
    return isPlaceholder(value.glimpse) ? undefined : { start: value.start, end: value.end };
  }

  #doubted(value: Value): Span | undefined {
    if (isPlaceholder(value.glimpse) || !looksSecret(value.glimpse, this.#typed, this.#sure))
      return undefined;
    return { start: value.start, end: value.end };
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
