/** Vendor text into text that an operator may see: one line, without secrets, without tricks. */
import { armourSpans, spelledSpans } from './redact/armour.js';
import { decode } from './redact/decode.js';
import { oneLine } from './redact/line.js';
import { namedSpans } from './redact/named.js';
import { opaqueSpans } from './redact/opaque.js';
import { knownSpans, scrub } from './redact/scrub.js';
import { shapeSpans } from './redact/shapes.js';
import { strip } from './redact/strip.js';
import { tableSpans } from './redact/tables.js';
import { undoEscapes } from './redact/unescape.js';
import { unwrap } from './redact/unwrap.js';
import { original, replaced, type Span, viewOf } from './redact/view.js';
import { mask, type Secret } from './secret.js';

export interface RedactOptions {
  /** Values known to be secret: masked whatever they look like. */
  readonly secrets?: readonly Secret[];
  /** How long the result may be; of a longer one the end is kept. */
  readonly limit?: number;
}

/** A document in a document in a log line: more rounds than any vendor needs. */
const maxRounds = 5;

export function redact(
  input: string | Uint8Array,
  { secrets = [], limit = 2000 }: RedactOptions = {},
): string {
  const seen = scrub(strip(decode(input)), secrets);
  return oneLine(scrub(replaced(seen, secretSpans(seen, secrets), mask), secrets), limit);
}

/** Secrets as they stand, then as they stand unwrapped, and unescaped once, twice and more. */
function secretSpans(text: string, secrets: readonly Secret[]): Span[] {
  const spans = [...find(text)];
  let view = viewOf(text);
  for (let round = 0; round < maxRounds; round++) {
    const plainer = unwrap(round === 0 ? view : undoEscapes(view));
    if (plainer.text === view.text && round > 0) break;
    if (plainer.text !== view.text) {
      for (const span of find(plainer.text)) spans.push(original(plainer, span));
      for (const span of knownSpans(plainer.text, secrets)) spans.push(original(plainer, span));
    }
    view = plainer;
  }
  return spans;
}

function* find(text: string): Generator<Span> {
  yield* armourSpans(text);
  yield* spelledSpans(text);
  yield* shapeSpans(text);
  yield* namedSpans(text);
  yield* tableSpans(text);
  yield* opaqueSpans(text);
}
