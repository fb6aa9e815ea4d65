/** Looks for known secrets in whatever a test got hold of, in every form in which they could stand there. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Which of `values` stand in a text: as they are, percent-encoded or in base64. */
export function leaksIn(text: string, values: readonly string[]): string[] {
  const decoded = [
    text,
    tryDecode(text),
    ...[...text.matchAll(/[A-Za-z0-9+/_-]{12,}={0,2}/g)].map(([run]) =>
      Buffer.from(run, 'base64').toString('latin1'),
    ),
  ];
  return values.filter((value) => decoded.some((form) => form.includes(value)));
}

export function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile());
}

function tryDecode(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}/g, (escaped) =>
    String.fromCharCode(Number.parseInt(escaped.slice(1), 16)),
  );
}
