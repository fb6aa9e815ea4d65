/** What a route answers, before it is made a Response with the headers that every answer has: building one twice costs. */

export interface Answer {
  /** Default 200. */
  status?: number;
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array;
}

/** An answer of plain data. */
export function json(value: unknown, status = 200): Answer {
  return { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) };
}

export function responseOf(
  { status = 200, headers, body }: Answer,
  more: Readonly<Record<string, string>>,
): Response {
  return new Response(body as ConstructorParameters<typeof Response>[0], {
    status,
    headers: { ...headers, ...more },
  });
}
