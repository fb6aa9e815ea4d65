/** What `audit verify --head` is given: a head as it prints one, or checkpoints, one a line. */
import { readFileSync } from 'node:fs';
import type { Head } from '../../audit/chain.js';
import { type Checkpoint, isHead, verifyHead } from '../../audit/checkpoint.js';
import { readPublicKey } from '../../audit/checkpoint-key.js';
import { type CloudCliError, invalidRequest, isCloudCliError } from '../../errors.js';

export interface Saved {
  heads: readonly Head[];
  /** Of signed ones, that which was signed last. */
  checkpoint?: Checkpoint;
}

/** @throws CloudCliError `invalid_request` for a file of neither kind, and for a checkpoint that the key did not sign */
export async function readSavedHeads(file: string, publicKey: string | undefined): Promise<Saved> {
  const text = readText(file);
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  // One is enough: a line that is none must be told of as such, not hide the others.
  const isSigned = lines.some((line) => /^[\w-]*\.[\w-]*\.[\w-]*$/.test(line.trim()));
  if (publicKey === undefined) {
    if (!isSigned) return { heads: [plainHead(text)] };
    throw refused(
      'public_key',
      'is needed: the heads are signed',
      'Give the public key that you keep off the host: --public-key FILE.pub',
    );
  }
  // Else a forger would only have to leave the signature out.
  if (!isSigned) {
    throw refused(
      'head',
      'holds no signed checkpoints, one a line',
      'Leave --public-key out only if you trust the file as it is.',
    );
  }
  return signedHeads(lines, publicKey);
}

async function signedHeads(lines: readonly string[], publicKey: string): Promise<Saved> {
  const key = readPublicKey(publicKey);
  const heads: Checkpoint[] = [];
  for (const [index, line] of lines.entries()) {
    try {
      heads.push(await verifyHead(line.trim(), key));
    } catch (error) {
      if (!isCloudCliError(error) || error.code !== 'invalid_request') throw error;
      throw refused(
        'head',
        `checkpoint ${index + 1} of ${lines.length} is none that this key signed`,
        error.hint,
      );
    }
  }
  const [checkpoint] = heads.toSorted((a, b) => b.signed_at.localeCompare(a.signed_at));
  return { heads, checkpoint: checkpoint! };
}

/** As `verify --json` prints it, or the head alone. */
function plainHead(text: string): Head {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const head = (value as { head?: unknown } | undefined)?.head ?? value;
  if (isHead(head)) return { seq: head.seq, hash: head.hash };
  throw notSaved();
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw notSaved();
  }
}

function notSaved(): CloudCliError {
  return refused(
    'head',
    'must name a file that holds a saved head',
    'Save one with `cloud-cli audit verify --json >FILE`, or sign one with `cloud-cli audit checkpoint`.',
  );
}

function refused(field: string, message: string, hint: string): CloudCliError {
  return invalidRequest([{ field, message }], hint);
}
