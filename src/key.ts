/** The name under which a credential is stored and resolved, such as `idp:aws:prod`. */
import { CloudCliError } from './errors.js';

const segment = '[a-z0-9]+(?:[._-][a-z0-9]+)*';
const grammar = new RegExp(`^${segment}(?::${segment}){1,7}$`);

/** What {@link isCredentialKey} accepts, in words. */
export const credentialKeyGrammar =
  '2 to 8 lower-case segments joined by ":", each of letters and digits with single ".", "_" or "-" between them, ' +
  'at most 63 characters a segment and 200 in all, such as idp:aws:prod';

/** Whether `text` is a credential key as CredentialKey writes it. */
export function isCredentialKey(text: string): boolean {
  // The length comes first: it bounds the work of the pattern.
  return text.length <= 200 && grammar.test(text) && text.split(':').every((part) => part.length <= 63);
}

/** A credential key, split at its first `:` into `service` and `purpose`. */
export class CredentialKey {
  /** What comes before the first `:`. */
  readonly service: string;
  /** What comes after it. */
  readonly purpose: string;

  /** The key of two parts. @throws CloudCliError `invalid_request` when the two do not make a credential key. */
  constructor(service: string, purpose: string) {
    const text = `${service}:${purpose}`;
    if (
      typeof service !== 'string' ||
      typeof purpose !== 'string' ||
      service.includes(':') ||
      !isCredentialKey(text)
    ) {
      throw new CloudCliError('invalid_request', 'the credential key is not valid', {
        hint: `Use ${credentialKeyGrammar}.`,
        issues: [{ field: 'target_credential_key', message: `must be ${credentialKeyGrammar}` }],
      });
    }
    this.service = service;
    this.purpose = purpose;
  }

  /** The key written as `service:purpose`. Throws as the constructor does. */
  static parse(text: string): CredentialKey {
    const at = String(text).indexOf(':');
    return new CredentialKey(String(text).slice(0, Math.max(at, 0)), String(text).slice(at + 1));
  }

  /** The key written as `service:purpose`. */
  toString(): string {
    return `${this.service}:${this.purpose}`;
  }

  /** The key as JSON has it: as text. */
  toJSON(): string {
    return this.toString();
  }
}
