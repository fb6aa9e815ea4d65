/** The command line of a request: built here and nowhere else, so that a preview shows what a mint spawns. */
import { type CheckedRequest, checkRequest, type MoreHandlers } from './request.js';
import type { Secret } from './secret.js';

/** A command line, as it is spawned and as it may be shown. */
export interface BuiltArgv {
  /** Name of the vendor CLI, as it is looked for on PATH. */
  binary: string;
  /** The binary's name, then its arguments; a secret one prints as `--flag=****`. */
  argv: (string | Secret)[];
  /** The same with every secret masked. */
  masked: string[];
}

/**
 * The command line that a mint of `request` would spawn.
 * @throws CloudCliError `invalid_request`
 */
export function buildArgv(request: unknown, options: { handlers?: MoreHandlers } = {}): BuiltArgv {
  return argvOf(checkRequest(request, options.handlers));
}

/** {@link buildArgv} for a request that is checked already. */
export function argvOf({ handler, values }: CheckedRequest): BuiltArgv {
  const argv = [handler.binary, ...handler.argv(values)];
  return { binary: handler.binary, argv, masked: argv.map(String) };
}
