/** The environment of a vendor CLI: the parent's, without what could change the code it runs. */
import type { Handler } from './handler.js';
import { safePath } from './locate.js';

/** The variable that marks a vendor process, so that whoever closes an abandoned run can find and end it. */
export const runIdVariable = 'CLOUD_CLI_RUN_ID';

// Loaders, interpreters and shells take code or options from these; SSLKEYLOGFILE writes TLS keys to disk. Our own
// variables, and the password of the ledger, are secrets that the vendor has no need of.
const stripped =
  /^(?:LD_|DYLD_|PYTHON|NODE_|npm_|NPM_|PERL|RUBY|GEM_|BASH_FUNC_|CLOUD_CLI_|_?JAVA_|JDK_|OPENSSL_|GCONV_PATH$|GLIBC_TUNABLES$|LOCPATH$|NLSPATH$|MALLOC_|BASH_ENV$|ENV$|SHELLOPTS$|BASHOPTS$|PS4$|IFS$|CDPATH$|SSLKEYLOGFILE$|PGPASSWORD$)/;

/**
 * What the child of a run gets: `parent` cleaned, the parent's credentials kept, the handler's settings on top.
 * @param parent the environment that the child's is made from, such as process.env
 */
export function childEnvironment(
  parent: NodeJS.ProcessEnv,
  handler: Pick<Handler, 'environment'>,
  run_id: string,
): Record<string, string> {
  const kept = Object.entries(parent).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !stripped.test(entry[0]),
  );
  const settings = Object.entries(handler.environment).map(([name, value]) => [
    name,
    value.replace('<run_id>', run_id),
  ]);
  return {
    ...Object.fromEntries(kept),
    ...Object.fromEntries(settings),
    PATH: safePath(parent.PATH),
    // az prints local time without a zone, and translated or decorated messages could not be recognised.
    TZ: 'UTC',
    LC_ALL: 'C.UTF-8',
    PYTHONWARNINGS: 'ignore',
    [runIdVariable]: run_id,
  };
}
