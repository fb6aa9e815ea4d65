/** Many lines into one that fits. */
const dropped = '…';

export function oneLine(text: string, limit: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line.length <= limit) return line;
  if (limit < 1) return '';
  const end = line.slice(line.length - limit + 1);
  // The second half of a surrogate pair is no character.
  return dropped + (limit > 1 ? end.replace(/^[\udc00-\udfff]/, '') : '');
}
