/**
 * A text rewritten (unescaped, unwrapped) that remembers where each character stood, so that a secret found in
 * disguise is masked where it really is, and what is no secret keeps its own spelling.
 */
export interface View {
  readonly text: string;
  /** Where each character began in the original; one more for the end. */
  readonly at: Uint32Array;
}

/** From `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export function viewOf(text: string): View {
  return { text, at: Uint32Array.from({ length: text.length + 1 }, (_, index) => index) };
}

/** The view with each match replaced. A replacement is never longer than its match. */
export function rewrite(view: View, pattern: RegExp, replace: (match: RegExpExecArray) => string): View {
  const pieces: string[] = [];
  const at = new Uint32Array(view.text.length + 1);
  let read = 0;
  let written = 0;
  const copy = (to: number) => {
    pieces.push(view.text.slice(read, to));
    at.set(view.at.subarray(read, to), written);
    written += to - read;
  };
  for (const match of view.text.matchAll(pattern)) {
    copy(match.index);
    const replacement = replace(match as RegExpExecArray);
    pieces.push(replacement);
    at.fill(view.at[match.index]!, written, written + replacement.length);
    written += replacement.length;
    read = match.index + match[0].length;
  }
  if (read === 0) return view;
  copy(view.text.length);
  at[written] = view.at[view.text.length]!;
  return { text: pieces.join(''), at: at.subarray(0, written + 1) };
}

/** The view without these parts, which are in order. */
export function without(view: View, parts: readonly Span[]): View {
  if (parts.length === 0) return view;
  const pieces: string[] = [];
  const at = new Uint32Array(view.text.length + 1);
  let read = 0;
  let written = 0;
  for (const part of [...parts, { start: view.text.length, end: view.text.length }]) {
    pieces.push(view.text.slice(read, part.start));
    at.set(view.at.subarray(read, part.start), written);
    written += part.start - read;
    read = part.end;
  }
  at[written] = view.at[view.text.length]!;
  return { text: pieces.join(''), at: at.subarray(0, written + 1) };
}

/** Where a part of the view stands in the original. */
export function original(view: View, span: Span): Span {
  return { start: view.at[span.start]!, end: view.at[span.end]! };
}

/** `text` with the parts replaced; parts that touch or overlap become one. */
export function replaced(text: string, spans: readonly Span[], replacement: string): string {
  let result = '';
  let read = 0;
  let masked = -1;
  for (const { start, end } of [...spans].sort((a, b) => a.start - b.start)) {
    if (end <= read) continue;
    if (start > masked) result += text.slice(read, start) + replacement;
    read = end;
    masked = end;
  }
  return result + text.slice(read);
}
