/** A field's value as one line of text, and back; and what is wrong with such a line. */
import { isCloudCliError } from '../../errors.js';
import { checkRequest, type FieldInfo } from '../../request.js';

/** The value that `text` stands for; an item of a list or map ends at a comma. */
export function readText(type: FieldInfo['type'], text: string): unknown {
  if (type === 'integer') return /^(?:0|[1-9][0-9]{0,8})$/.test(text) ? Number(text) : text;
  if (type === 'list') return items(text);
  if (type === 'map') return Object.fromEntries(items(text).map(pair));
  return text;
}

/** What {@link readText} reads back as `value`. */
export function writeText(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ');
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([name, member]) => `${name}=${member}`)
      .join(', ');
  return String(value);
}

/** Why `text` is not an answer, or undefined when it is one. */
export function problemOf(provider: string, field: FieldInfo, text: string): string | undefined {
  if (text === '') return field.required ? 'is required' : undefined;
  const { type } = field;
  if (type === 'map') {
    if (items(text).some((item) => !item.includes('=')))
      return 'must be key=value, with commas between several';
    const keys = items(text).map((item) => pair(item)[0]);
    // One of the two would be lost without a word.
    if (new Set(keys).size < keys.length) return 'must not have a key more than once';
  }
  return valueProblem(provider, field.name, readText(type, text));
}

/** The same of a value. Only its own field counts: what else the request lacks is asked later. */
export function valueProblem(provider: string, name: string, value: unknown): string | undefined {
  try {
    checkRequest({ provider, [name]: value });
    return undefined;
  } catch (error) {
    if (!isCloudCliError(error) || error.code !== 'invalid_request') throw error;
    return error.details.issues.find(({ field }) => field === name)?.message;
  }
}

function items(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function pair(text: string): [string, string] {
  const at = text.indexOf('=');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
