/** What a mint would do: the exact command line, masked, and whether its binary is there. Nothing is started or recorded. */
import { argvOf } from './argv.js';
import { type BinaryPins, type BinaryProblem, findBinary } from './binary.js';
import { type AllowRule, actorOf, judge, type Verdict } from './policy.js';
import { checkRequest, type MoreHandlers } from './request.js';
import { shellLine } from './shell.js';

/** What a mint of the request would be given. */
export interface PreviewOptions {
  /** Providers of your own; one of a built-in name takes its place. */
  handlers?: MoreHandlers;
  /** The environment whose PATH is searched; default process.env. */
  env?: NodeJS.ProcessEnv;
  /** Allow rules, for the verdict. */
  policy?: readonly AllowRule[] | undefined;
  /** The vendor CLIs that may be run, as for {@link mint}. */
  binaries?: BinaryPins | undefined;
  /** Whom the allow rules judge; default the user of the operating system. */
  actor?: string;
}

/** What a mint would spawn. */
export interface Preview {
  /** The handler's name. */
  provider: string;
  /** UUIDv7: the one that was given, else a new one. */
  run_id: string;
  /** Where the credential would be kept. */
  credential_key: string;
  /** null where it is left to the vendor CLI's own default. */
  source_identity: string | null;
  /** Name of the vendor CLI. */
  binary: string;
  /** Whether it is on PATH. */
  binary_present: boolean;
  /** Where; null where it is not. */
  binary_path: string | null;
  /** Masked; the binary's name first. */
  argv: string[];
  /** `argv` quoted for a POSIX shell. */
  command: string;
  /** Seconds that it may take. */
  timeout_seconds: number;
  /** Why a mint would not run the binary: it is not there, or others could have changed it. */
  problem?: BinaryProblem;
  /** What the allow rules say; absent where there are none. */
  policy?: Verdict;
}

/**
 * Previews a request. A mint of the same request with this preview's `run_id` spawns exactly its `argv`.
 * @throws CloudCliError `invalid_request`
 */
export async function preview(request: unknown, options: PreviewOptions = {}): Promise<Preview> {
  return previewBy(findBinary, request, options);
}

/** {@link preview} by another look at the file system. */
export async function previewBy(
  find: typeof findBinary,
  request: unknown,
  options: PreviewOptions,
): Promise<Preview> {
  const checked = checkRequest(request, options.handlers);
  const { binary, masked } = argvOf(checked);
  const { path, problem } = await find(checked.handler, options.env ?? process.env, options.binaries, false);
  const verdict = judge(options.policy, checked, actorOf(options.actor));
  return {
    provider: checked.handler.name,
    run_id: checked.run_id,
    credential_key: checked.key.toString(),
    source_identity: checked.source_identity,
    binary,
    binary_present: path !== null,
    binary_path: path,
    argv: masked,
    command: shellLine(masked),
    timeout_seconds: checked.timeout_seconds,
    ...(problem ? { problem } : {}),
    ...(verdict ? { policy: verdict } : {}),
  };
}
