/** What differs from run to run, under the values that a document prints in its place. */
import { createHash } from 'node:crypto';

const runId = /\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;
const hash = /\b[0-9a-f]{64}\b/g;
const accessKeyId = /\bASIA[A-Z0-9]{16}\b/g;
const kinds = [runId, hash, accessKeyId];
const time = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z/g;

export class Names {
  /** By the value of this run: what the document has in its place. */
  readonly #known = new Map<string, string>();
  readonly #places: readonly (readonly [string, string])[];

  /** `places` are paths of this run and what the document calls them. */
  constructor(places: readonly (readonly [string, string])[]) {
    this.#places = places;
  }

  /** Takes `printed` for what the document says, and learns from it which value is which. */
  learn(printed: string, said: string): void {
    for (const kind of kinds) {
      const values = printed.match(kind) ?? [];
      const names = said.match(kind) ?? [];
      values.forEach((value, index) => {
        const name = names[index];
        if (name !== undefined && !this.#known.has(value)) this.#known.set(value, name);
      });
    }
  }

  /** What was printed as the document would say it; a value that it has never named gets a name here. */
  hide(printed: string): string {
    let text = printed;
    for (const [place, name] of this.#places) text = text.replaceAll(place, name);
    for (const kind of kinds) text = text.replace(kind, (value) => this.#nameOf(value));
    return (
      text
        // An hour lies between when a credential was minted and when it ends, as a reader would see it.
        .replace(time, (_, fraction) => (fraction ? '2026-11-23T15:04:05.000Z' : '2026-11-23T15:04:05Z'))
        .replace(/((?:expires_at|live_until|until)"?:? +"?2026-11-23T)15/g, '$116')
        .replace(/(duration_ms"?:? +)\d+/g, '$1540')
        .replace(/(\bhost +)\S+/g, '$1control-plane')
        .replace(/(\.owner +)\d+/g, '$10')
        .replace(/(\.mode +)\d+/g, '$10755')
    );
  }

  /** A document's text with the values of this run. */
  show(text: string): string {
    return [...this.#known].reduce((shown, [value, name]) => shown.replaceAll(name, value), text);
  }

  #nameOf(value: string): string {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const sample = createHash('sha256').update(`${this.#known.size}`).digest('hex');
    const name =
      value.length === 64
        ? sample
        : value.length === 36
          ? `01936b1e-4c00-7${sample.slice(0, 3)}-9${sample.slice(3, 6)}-${sample.slice(6, 18)}`
          : 'ASIAIOSFODNN7EXAMPLE';
    this.#known.set(value, name);
    return name;
  }
}
