/**
 * A value that is shown to nobody: it prints, serialises and inspects as `****`, and {@link Secret.reveal} is
 * the only way out. Values become Secrets where they are parsed, so that no later code can log one by mistake.
 */
import { createHash } from 'node:crypto';

/** What stands in for a secret wherever it would be shown. */
export const mask = '****';

/** A value that prints, serialises and inspects as `****`; `reveal` is the only way out. */
export class Secret {
  readonly #value: string;
  readonly #prefix: string;

  /** `prefix` is public text that is shown in front of the mask. */
  constructor(value: string, prefix = '') {
    this.#value = value;
    this.#prefix = prefix;
  }

  /** The value itself, with the prefix where there is one. Call it only where the value leaves for its user. */
  reveal(): string {
    return this.#prefix + this.#value;
  }

  /** The same secret behind public text: `--flag=` and the value as one argv item, shown as `--flag=****`. */
  after(prefix: string): Secret {
    return new Secret(this.#value, prefix);
  }

  /** `sha256:` and 64 hex digits of the value: finds a leaked token in the ledger, and gives nothing of it away. */
  fingerprint(): string {
    return `sha256:${createHash('sha256').update(this.#value).digest('hex')}`;
  }

  /** `text` with the value masked, also where it stands percent-encoded, JSON-escaped or in base64. */
  scrub(text: string): string {
    const bytes = Buffer.from(this.#value);
    const forms = new Set([
      this.#value,
      encodeURIComponent(this.#value),
      JSON.stringify(this.#value).slice(1, -1),
      bytes.toString('base64'),
      bytes.toString('base64').replace(/=+$/, ''),
      bytes.toString('base64url'),
    ]);
    let scrubbed = text;
    for (const form of forms) scrubbed = scrubForm(scrubbed, form);
    return scrubbed;
  }

  /** `****`, behind the prefix where there is one. */
  toString(): string {
    return this.#prefix + mask;
  }

  /** As `toString`. */
  toJSON(): string {
    return this.toString();
  }

  /** As `toString`. */
  [Symbol.toPrimitive](): string {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** A short value is masked only where it stands alone: an external id `in` must not eat every `in` of a text. */
function scrubForm(text: string, form: string): string {
  if (form === '') return text;
  if (form.length >= 6) return text.replaceAll(form, mask);
  const alone = form.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replace(new RegExp(`(?<![\\w/-])${alone}(?![\\w/-])`, 'g'), mask);
}
