/** Times as RFC 3339 writes them. */

const written = /^(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** The time that `text` names, a day alone being its first moment; undefined where there is none. */
export function timeOf(text: unknown): Date | undefined {
  const [, day] = (typeof text === 'string' && written.exec(text)) || [];
  const time = new Date(text as string);
  if (day === undefined || Number.isNaN(time.getTime())) return undefined;
  // A Date takes 30 February for 2 March.
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day) ? time : undefined;
}
