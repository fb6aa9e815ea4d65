/** A credential key as the name of a secret, for services that allow letters, digits and dashes alone. */
import { createHash } from 'node:crypto';
import type { CredentialKey } from '../key.js';

/** In a key these stand alone, between letters and digits, so that the number of dashes tells which it was. */
const dashes: Readonly<Record<string, string>> = { '-': '-', ':': '--', '.': '---', _: '----' };
/** More dashes than within a key or a prefix, so that no key of one prefix reads as one of another. */
const afterPrefix = '-----';
const afterHash = '------';

/** What may stand before the key. */
export const prefixPattern = /^(?=.{1,40}$)[a-z0-9]+(?:-[a-z0-9]+)*$/;

/** `team-----idp--aws--prod`; where that is longer than `most`, a hash stands for the key. */
export function secretName(prefix: string, key: CredentialKey | string, most: number): string {
  const start = startOf(prefix);
  const name = start + `${key}`.replace(/[-:._]/g, (sign) => dashes[sign]!);
  if (name.length <= most) return name;
  return `${start}sha256${afterHash}${createHash('sha256').update(`${key}`).digest('hex')}`;
}

/** What the names under `prefix` begin with. */
export function startOf(prefix: string): string {
  return prefix === '' ? '' : prefix + afterPrefix;
}
