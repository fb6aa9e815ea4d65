/** What a mint would do: the exact command line, masked, and whether its binary is there. Nothing is started or recorded. */
import { argvOf } from './argv.js';
import type { Handler } from './handler.js';
import { locate } from './locate.js';
import { type AllowRule, actorOf, judge, type Verdict } from './policy.js';
import { checkRequest, type MoreHandlers } from './request.js';
import { shellLine } from './shell.js';

export interface PreviewOptions {
  handlers?: MoreHandlers;
  /** The environment whose PATH is searched; default process.env. */
  env?: NodeJS.ProcessEnv;
  policy?: readonly AllowRule[] | undefined;
  /** Whom the allow rules judge; default the user of the operating system. */
  actor?: string;
}

/** CONTRACT section 3. */
export interface Preview {
  provider: string;
  run_id: string;
  credential_key: string;
  /** null where it is left to the vendor CLI's own default. */
  source_identity: string | null;
  binary: string;
  binary_present: boolean;
  binary_path: string | null;
  /** Masked; the binary's name first. */
  argv: string[];
  /** `argv` quoted for a POSIX shell. */
  command: string;
  timeout_seconds: number;
  problem?: { code: 'binary_missing'; message: string; hint: string };
  policy?: Verdict;
}

/**
 * Previews a request. A mint of the same request with this preview's `run_id` spawns exactly its `argv`.
 * @throws CloudCliError `invalid_request`
 */
export async function preview(request: unknown, options: PreviewOptions = {}): Promise<Preview> {
  const checked = checkRequest(request, options.handlers);
  const { binary, masked } = argvOf(checked);
  const path = locate(binary, (options.env ?? process.env).PATH);
  const verdict = judge(options.policy, checked, actorOf(options.actor));
  return {
    provider: checked.handler.name,
    run_id: checked.run_id,
    credential_key: checked.key.toString(),
    source_identity: checked.source_identity,
    binary,
    binary_present: path !== undefined,
    binary_path: path ?? null,
    argv: masked,
    command: shellLine(masked),
    timeout_seconds: checked.timeout_seconds,
    ...(path === undefined ? { problem: { code: 'binary_missing', ...missing(checked.handler) } } : {}),
    ...(verdict ? { policy: verdict } : {}),
  };
}

/** What to say when a handler's binary is not there. */
export function missing(handler: Handler): { message: string; hint: string } {
  return {
    message: `${handler.binary} is not on the PATH of this host, or not executable`,
    hint: handler.hints.binary_missing,
  };
}
