/** Inputs out of inputs: bits, bytes, words and pieces changed, moved, cut and put together. */

/** A number from 0 up to `below`. */
export type Random = (below: number) => number;

const telling = Buffer.from(
  '\0\t\n\r "\'\\/:;,=@%&<>{}[]()-_.*~^|$#!?0019azAZ\u00ff\u001b\u0008\u007f\u0080',
  'latin1',
);
const mostBytes = 4096;

export function mutate(
  input: Uint8Array,
  other: Uint8Array,
  words: readonly string[],
  random: Random,
): Buffer {
  let bytes: Buffer = Buffer.from(input);
  for (let rounds = 1 + random(5); rounds > 0; rounds -= 1) bytes = once(bytes, other, words, random);
  return bytes.subarray(0, mostBytes);
}

function once(bytes: Buffer, other: Uint8Array, words: readonly string[], random: Random): Buffer {
  const at = random(bytes.length + 1);
  const to = Math.min(bytes.length, at + 1 + random(random(4) === 0 ? 64 : 8));
  const inserted = (piece: Uint8Array) => Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
  const replaced = (piece: Uint8Array) => Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(to)]);
  const word = () => Buffer.from(words[random(words.length)] ?? '');
  switch (random(11)) {
    case 0:
      return replaced(Buffer.from([(bytes[at] ?? 0) ^ (1 << random(8))]));
    case 1:
      return replaced(Buffer.from([random(256)]));
    case 2:
      return replaced(Buffer.from([telling[random(telling.length)]!]));
    case 3:
      return inserted(Buffer.from([telling[random(telling.length)]!]));
    case 4:
      return replaced(Buffer.alloc(0));
    case 5:
      return inserted(bytes.subarray(at, to));
    case 6:
      return inserted(word());
    case 7:
      return replaced(word());
    case 8: {
      const from = random(other.length + 1);
      return inserted(other.subarray(from, from + 1 + random(64)));
    }
    case 9: {
      const from = random(other.length + 1);
      return Buffer.concat([bytes.subarray(0, at), other.subarray(from)]);
    }
    default:
      return replaced(Buffer.from(Buffer.from(bytes.subarray(at, to)).reverse()));
  }
}
