/** Any text as a credential key and as a run id, against a slow reading of their grammars. */
import { isCloudCliError } from '../../../src/errors.js';
import { CredentialKey, isCredentialKey } from '../../../src/key.js';
import { newRunId, runIdPattern } from '../../../src/run-id.js';
import { Choices } from '../choices.js';
import { expectThat, type Target } from '../target.js';

export const key: Target = {
  name: 'key',
  seeds: ['idp:aws:prod', 'a:b', 'a.b-c_d:e', '01936b1e-4c00-7d3a-9c1e-2f6b8f0a4d11', `${'a'.repeat(63)}:b`],
  words: [':', '.', '-', '_', '..', 'a', 'A', '\n', '-7', '\u0130', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
  run(input) {
    const text = input.toString('utf8');
    expectThat(isCredentialKey(text) === isKey(text), `is ${isKey(text) ? 'a' : 'no'} credential key`);
    expectThat(runIdPattern.test(text) === isRunId(text), `is ${isRunId(text) ? 'a' : 'no'} run id`);
    try {
      const parsed = CredentialKey.parse(text);
      expectThat(isKey(text) && String(parsed) === text, 'parsed as something else');
      expectThat(!parsed.service.includes(':'), 'a service with a colon');
    } catch (error) {
      expectThat(isCloudCliError(error) && !isKey(text), `refused: ${(error as Error).message}`);
    }
    const moment = new Choices(input).upTo(65_536) * 4_000_000_000;
    const id = newRunId(Math.min(moment, 2 ** 48 - 1));
    expectThat(isRunId(id), `makes ${id}`);
  },
};

function isKey(text: string): boolean {
  const parts = text.split(':');
  if (text.length > 200 || parts.length < 2 || parts.length > 8) return false;
  return parts.every((part) => {
    if (part.length < 1 || part.length > 63) return false;
    return [...part].every((character, index) => {
      if ('abcdefghijklmnopqrstuvwxyz0123456789'.includes(character)) return true;
      const isInside = index > 0 && index < part.length - 1;
      return isInside && '._-'.includes(character) && !'._-'.includes(part[index - 1]!);
    });
  });
}

function isRunId(text: string): boolean {
  if (text.length !== 36) return false;
  return [...text].every((character, index) => {
    if ([8, 13, 18, 23].includes(index)) return character === '-';
    if (index === 14) return character === '7';
    return (index === 19 ? '89ab' : '0123456789abcdef').includes(character);
  });
}
