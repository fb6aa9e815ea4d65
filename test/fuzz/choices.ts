/** Bytes read as choices, so that a change of one byte is a change of one choice. */

export class Choices {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  /** 0 up to `count`, without it. */
  upTo(count: number): number {
    return count <= 256 ? this.byte() % count : ((this.byte() << 8) | this.byte()) % count;
  }

  of<T>(items: readonly T[]): T {
    return items[this.upTo(items.length)] as T;
  }

  /** Text of at most `most` bytes; its length is the choice before it. */
  text(most = 40): string {
    const length = this.upTo(most + 1);
    const text = this.#bytes.subarray(this.#at, this.#at + length).toString('utf8');
    this.#at += length;
    return text;
  }

  /** All that was not read yet. */
  rest(): Buffer {
    const rest = this.#bytes.subarray(this.#at);
    this.#at = this.#bytes.length;
    return rest;
  }
}
