/** Takes out what a terminal obeys or nobody sees: it can hide a secret from us, or a lie from the operator. */
import { rewrite, type View } from './view.js';

/** In this order: a sequence may be cut by invisible characters, so those go first. */
const unseen: readonly (readonly [RegExp, string])[] = [
  [/\r{1,3}\n|[\r\v\f\u0085\u2028\u2029]/g, '\n'],
  // Zero-width and direction marks, soft hyphens, variation selectors, tags, and C0 but TAB, LF, BEL, BS, ESC.
  [/[\p{Default_Ignorable_Code_Point}\p{Cf}\0-\x06\x0e-\x1a\x1c-\x1f\x7f]/gu, ''],
  // OSC (titles, hyperlinks), DCS, SOS, PM and APC with their text, 7-bit and 8-bit.
  [/(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f\n]*(?:\x07|\x1b\\|\x9c)/g, ''],
  // CSI (colours, cursor), also when it is cut off.
  [/(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?/g, ''],
  [/\x1b[ -/]*[0-~]?/g, ''],
  [/[\x07\x80-\x9f]/g, ''],
];

export function strip(text: string): string {
  let seen = text;
  for (const [pattern, replacement] of unseen) seen = seen.replace(pattern, replacement);
  return typedOver(seen);
}

/** The same for what appears only once escapes are undone. */
export function stripView(view: View): View {
  let seen = view;
  for (const [pattern, replacement] of unseen) seen = rewrite(seen, pattern, () => replacement);
  return rewrite(seen, /[\b\ufffd\p{Cs}]/gu, () => '');
}

/** A backspace takes back the character before it: bold and underlined text of manual pages, and corrections. */
function typedOver(text: string): string {
  if (!text.includes('\b')) return text;
  const shown: string[] = [];
  for (const character of text) {
    if (character !== '\b') shown.push(character);
    else if (shown.length > 0 && shown.at(-1) !== '\n') shown.pop();
  }
  return shown.join('');
}
