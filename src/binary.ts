/** A handler's vendor CLI on this host: where it is, what it is, and whether it may be run. */
import type { Handler } from './handler.js';
import { locate } from './locate.js';
import { type Provenance, provenanceOf } from './provenance.js';
import { replaceable } from './replaceable.js';

/** The one file that may be run; what is absent is not asked. */
export interface BinaryPin {
  /** 64 lower-case hex digits: of the file that is executed, with links followed. */
  sha256?: string | undefined;
  /** What the search of PATH must find. */
  path?: string | undefined;
}

/** By the binary's name, such as `gcloud`. */
export type BinaryPins = Readonly<Record<string, BinaryPin>>;

/** Why a mint would not run it. */
export interface BinaryProblem {
  /** As a mint would fail. */
  code: 'binary_missing';
  /** What is wrong. */
  message: string;
  /** What to do about it. */
  hint: string;
}

export interface FoundBinary {
  path: string | null;
  provenance: Provenance | null;
  problem?: BinaryProblem;
}

/**
 * Finds the binary and looks at it. Between this and its start somebody who may write there could still exchange it:
 * a script can only be started by its path.
 * @param hashed false hashes only what is pinned by its hash: for whoever does not run it
 */
export async function findBinary(
  handler: Handler,
  env: NodeJS.ProcessEnv,
  pins: BinaryPins = {},
  hashed = true,
): Promise<FoundBinary> {
  const path = locate(handler.binary, env.PATH);
  if (path === undefined)
    return { path: null, provenance: null, problem: { code: 'binary_missing', ...missing(handler) } };
  try {
    const pin = Object.hasOwn(pins, handler.binary) ? pins[handler.binary] : undefined;
    const provenance = await provenanceOf(path, hashed || pin?.sha256 !== undefined);
    const refusal = refusalOf(handler, path, provenance, pin);
    return { path, provenance, ...(refusal && { problem: { code: 'binary_missing', ...refusal } }) };
  } catch (error) {
    const message = `${path} could not be looked at (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`;
    const hint =
      'It may be in the middle of an update: run again. A link that leads to itself must be mended.';
    return { path, provenance: null, problem: { code: 'binary_missing', message, hint } };
  }
}

/** What to say when a handler's binary is not there. */
export function missing(handler: Handler): { message: string; hint: string } {
  return {
    message: `${handler.binary} is not on the PATH of this host, or not executable`,
    hint: handler.hints.binary_missing,
  };
}

function refusalOf(
  { binary }: Handler,
  path: string,
  { real_path, sha256 }: Provenance,
  pin: BinaryPin = {},
): { message: string; hint: string } | undefined {
  if (pin.path !== undefined && pin.path !== path) {
    return {
      message: `${path} is not run: \`binaries\` pins ${binary} to ${pin.path}, and PATH finds this one first`,
      hint: `Put the directory of ${pin.path} first on the PATH of this host, or correct the pin.`,
    };
  }
  const found = replaceable(path);
  if (found) {
    const which = found.place === path ? 'it' : found.place;
    return { message: `${path} is not run: ${which} ${found.how}`, hint: found.hint };
  }
  if (pin.sha256 !== undefined && pin.sha256 !== sha256) {
    return {
      message: `${path} is not run: \`binaries\` pins ${binary}, and ${real_path} is another file, of SHA-256 ${sha256 ?? 'unknown, as it cannot be read'}`,
      hint: 'If it was updated on purpose, pin its new hash, which `cloud-cli doctor` shows. If not, find out who changed it before anything else is minted here.',
    };
  }
  return undefined;
}
