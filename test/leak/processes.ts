/** What others on the host can see of a process, and the tokens to look for. */
import { readdirSync, readFileSync } from 'node:fs';
import { CredentialKey, openCredentialStore, Secret } from '../../src/index.js';
import { type Provider, providers } from '../support.js';

export interface Seen {
  pid: number;
  cmdline: string;
  environ: string;
}

export function seenOf(pid: number): Seen {
  const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8').replaceAll('\0', '\n');
  return { pid, cmdline: read('cmdline'), environ: read('environ') };
}

/** The processes below one, of any depth, that were there at the moment. */
export function below(pid: number): Seen[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .flatMap((name) => {
      const rest = below(Number(name));
      try {
        return [seenOf(Number(name)), ...rest];
      } catch {
        // It has ended meanwhile.
        return rest;
      }
    });
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

/** The secret values that the file store of a home holds now. */
export async function secretsIn(directory: string, of: readonly Provider[] = providers): Promise<string[]> {
  const store = await openCredentialStore(`file:${directory}`);
  const read = await Promise.all(
    of.map((provider) => store.read(CredentialKey.parse(`idp:${provider}:prod`))),
  );
  await store.close();
  return read.flatMap((credential) => Object.entries(credential ?? {}).flatMap(secretOf));
}

/** The access key id is public, and in the ledger. */
function secretOf([name, value]: [string, unknown]): string[] {
  return value instanceof Secret && name !== 'access_key_id' ? [value.reveal()] : [];
}

/** Pieces of `secrets` that stand in `text`: no run of 20 characters may. */
export function piecesIn(text: string, secrets: readonly string[]): string[] {
  return secrets.flatMap((secret) => {
    // The head of a JWT is the same for all; its end is what makes it a token.
    const from = Math.max(0, secret.length - 80);
    const pieces: string[] = [];
    for (let at = from; at + 20 <= secret.length; at += 10) pieces.push(secret.slice(at, at + 20));
    return pieces.filter((piece) => text.includes(piece)).slice(0, 1);
  });
}
