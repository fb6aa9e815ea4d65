/** Bytes, or a text that was decoded without care, into a text whose secrets lie open; only its end is kept. */

/** The end of a failure tells more than its start, and no phase may be fed without bound. */
const keptCharacters = 256 * 1024;
/** A line's end is the best place to cut, where there is one soon. */
const cleanCutWithin = 4096;

export function decode(input: string | Uint8Array): string {
  const text = typeof input === 'string' ? input : decodeBytes(input);
  // Lone surrogates, and U+FFFD for bytes nobody can read: left in, they would cut a token in two.
  return withoutNuls(keepEnd(text).replace(/[\p{Cs}\ufffd]/gu, ''));
}

function decodeBytes(bytes: Uint8Array): string {
  const encoding = { '255,254': 'utf-16le', '254,255': 'utf-16be' }[bytes.subarray(0, 2).join()] ?? 'utf-8';
  // No encoding takes more than four bytes for a character; the cut must not part the two of UTF-16.
  const excess = Math.max(0, bytes.length - 4 * keptCharacters);
  return new TextDecoder(encoding).decode(bytes.subarray(excess - (excess % 2)));
}

/** What stands before the first clean cut may be the tail of a secret whose name is lost. */
function keepEnd(text: string): string {
  if (text.length <= keptCharacters) return text;
  const end = text.slice(-keptCharacters);
  const near = end.slice(0, cleanCutWithin);
  const cuts = [near.search(/[\n\r]/), near.search(/\s/), near.search(/[",;&]/), end.search(/\s/)];
  const cut = cuts.find((index) => index >= 0);
  return cut === undefined ? '' : end.slice(cut);
}

/** NULs part the entries of an environment and of an argv; elsewhere (UTF-16, a hidden cut) nobody sees them. */
function withoutNuls(text: string): string {
  if (!text.includes('\0')) return text;
  return text
    .replace(/(?:[^\0]\0){4,}/g, (utf16) => utf16.replaceAll('\0', ''))
    .replace(
      /(?<=(?<![\w-])--?[\w-]{1,64})\0|\0(?=[A-Za-z_]\w{0,64}=(?![=\s]|$)|--[a-z]|-[A-Za-z](?:\0|$))/g,
      '\n',
    )
    .replaceAll('\0', '');
}
