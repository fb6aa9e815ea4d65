/** Masks the values that this request is known to hold, also where a line's end was put into them. */
import { mask, type Secret } from '../secret.js';
import { replaced, rewrite, type Span, viewOf } from './view.js';

export function scrub(text: string, secrets: readonly Secret[]): string {
  let scrubbed = text;
  for (const secret of secrets) {
    scrubbed = secret.scrub(scrubbed);
    scrubbed = replaced(scrubbed, spansOf(scrubbed, secret), mask);
  }
  return scrubbed;
}

/** Where `secrets` stand, whatever white space is between their characters. */
export function* knownSpans(text: string, secrets: readonly Secret[]): Generator<Span> {
  for (const secret of secrets) yield* spansOf(text, secret);
}

function spansOf(text: string, secret: Secret): Span[] {
  // A mask that was there before must not be taken for a new one.
  const joined = rewrite(viewOf(text), /[\s*]/g, () => '');
  const scrubbed = secret.scrub(joined.text);
  if (scrubbed === joined.text) return [];
  const spans: Span[] = [];
  let end = 0;
  // A short piece between two masks may be a part of either: it goes with them.
  const pieces = scrubbed.split(mask);
  const last = pieces.length - 1;
  for (const [index, piece] of pieces.entries()) {
    if (index > 0 && index < last && piece.length < 64) continue;
    const start =
      index === 0 ? 0 : index === last ? joined.text.length - piece.length : joined.text.indexOf(piece, end);
    if (index > 0) spans.push({ start: joined.at[end]!, end: joined.at[start - 1]! + 1 });
    end = start + piece.length;
  }
  return spans;
}
