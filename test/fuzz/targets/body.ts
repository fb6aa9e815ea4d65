/** Any body: an object that two readers read alike, or a problem; a slow reader of JSON decides what is there twice. */
import { duplicateMember, readJson } from '../../../src/http/body.js';
import { Problem } from '../../../src/http/problem.js';
import { expectThat, type Target } from '../target.js';

export const body: Target = {
  name: 'body',
  seeds: [
    '{"a":1,"b":{"a":2,"c":[{"a":1},{"a":2}]}}',
    '{"a":1,"\\u0061":2}',
    '{"a\\"":1,"a\\\\":[],"{":"}","[":"\\":"}',
    '[{"x":{"y":1,"y":2}}]',
    ' {"__proto__":1,"__proto__":2} ',
    '{"a":"b:\\"c\\":","c":1,"c":1}',
  ],
  words: [
    '"a":',
    '"a"',
    '\\u0061',
    '\\"',
    '\\\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    ' ',
    '\\ud83d\\ude00',
    '😀',
    '\u2028',
    '"__proto__":1,',
  ],
  async run(input) {
    const text = input.toString('utf8');
    let isJson = true;
    try {
      JSON.parse(text);
    } catch {
      isJson = false;
    }
    if (isJson) {
      const quick = duplicateMember(text);
      const slow = firstTwice(text);
      expectThat(quick === slow, `finds ${JSON.stringify(quick)} twice, and it is ${JSON.stringify(slow)}`);
    }
    const request = new Request('http://localhost/', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Uint8Array(input),
    });
    try {
      const value = await readJson(request);
      expectThat(isJson && firstTwice(text) === undefined, 'took what two readers may read otherwise');
      expectThat(JSON.stringify(value) === JSON.stringify(JSON.parse(text)), 'read something else');
    } catch (error) {
      expectThat(error instanceof Problem, `an error that is none of ours: ${(error as Error)?.stack}`);
    }
  },
};

/** Reads JSON by RFC 8259's grammar, one character after the other. */
function firstTwice(text: string): string | undefined {
  let at = 0;
  let twice: string | undefined;
  const blanks = () => {
    while (' \t\n\r'.includes(text[at] ?? '-')) at += 1;
  };
  const string = (): string => {
    const start = at;
    for (at += 1; text[at] !== '"'; at += 1) if (text[at] === '\\') at += 1;
    at += 1;
    return JSON.parse(text.slice(start, at)) as string;
  };
  const value = (): void => {
    blanks();
    if (text[at] === '{') {
      const names: string[] = [];
      for (at += 1; ; ) {
        blanks();
        if (text[at] === '}') break;
        if (text[at] === ',') {
          at += 1;
          continue;
        }
        const name = string();
        if (names.includes(name)) twice ??= name;
        names.push(name);
        blanks();
        at += 1;
        value();
      }
      at += 1;
    } else if (text[at] === '[') {
      for (at += 1; ; ) {
        blanks();
        if (text[at] === ']') break;
        if (text[at] === ',') at += 1;
        else value();
      }
      at += 1;
    } else if (text[at] === '"') string();
    else while (at < text.length && !',]} \t\n\r'.includes(text[at]!)) at += 1;
    blanks();
  };
  value();
  return twice;
}
