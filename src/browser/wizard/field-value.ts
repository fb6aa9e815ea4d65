/** A field's value as it is typed into the form: an item of a list or map is a line. */
import type { FieldAnswer } from '../answers.js';

/** What `text` stands for, or why it stands for nothing; the control plane judges all else. */
export function readValue(field: FieldAnswer, text: string): { value?: unknown } | { problem: string } {
  if (text.trim() === '') return field.required ? { problem: 'is required' } : {};
  if (field.type === 'integer')
    return { value: /^(?:0|[1-9][0-9]{0,8})$/.test(text.trim()) ? Number(text) : text };
  if (field.type === 'list') return { value: lines(text) };
  if (field.type === 'map') return readMap(lines(text));
  return { value: text };
}

function readMap(items: string[]): { value: unknown } | { problem: string } {
  if (items.some((item) => !item.includes('='))) return { problem: 'must be key=value, one per line' };
  const pairs = items.map((item): [string, string] => {
    const at = item.indexOf('=');
    return [item.slice(0, at), item.slice(at + 1)];
  });
  if (new Set(pairs.map(([key]) => key)).size < pairs.length) return { problem: 'must not name a key twice' };
  return { value: Object.fromEntries(pairs) };
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
