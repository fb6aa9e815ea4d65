/** Whether this host can mint: every part that a mint needs, looked at in the order in which a mint meets it. */
import { resolve } from 'node:path';
import { type BinaryPins, findBinary } from './binary.js';
import { loadSettings, type Settings } from './config.js';
import { type Asking, ask } from './doctor/ask.js';
import { binaryFinding, missingBinaryFinding } from './doctor/binary.js';
import { type Finding, ok, problem, warning } from './doctor/finding.js';
import { configurationFinding, homeFinding } from './doctor/home.js';
import { ledgerFinding } from './doctor/ledger.js';
import { nodeFinding } from './doctor/node.js';
import { settingsFindings } from './doctor/settings.js';
import { storeFinding } from './doctor/store.js';
import { CloudCliError, isCloudCliError } from './errors.js';
import type { Handler } from './handler.js';
import { locate } from './locate.js';
import { listHandlers } from './request.js';

export { exitStatusOf, type Finding } from './doctor/finding.js';

export interface DoctorOptions {
  env: NodeJS.ProcessEnv;
  /** The one provider to look at; its CLI is then needed. */
  provider?: string | undefined;
  /** Whether to ask each vendor CLI who it is. */
  live?: boolean | undefined;
  signal: AbortSignal;
  /** Seconds that a vendor CLI may take to answer. */
  timeout_seconds?: number;
}

/**
 * Looks at everything, and leaves nothing of its own: what it tries, it removes. Opening the ledger closes the runs
 * whose processes are gone, as it always does.
 * @throws CloudCliError `cancelled`
 */
export async function diagnose(options: DoctorOptions): Promise<Finding[]> {
  const { env, signal } = options;
  const settings = settingsOf(env);
  const findings = [nodeFinding()];
  if ('check' in settings) {
    findings.push(settings);
    if (env.CLOUD_CLI_HOME) findings.push(await homeFinding(resolve(env.CLOUD_CLI_HOME), true));
  } else {
    const isHomeNeeded = [settings.audit_url, settings.store_url].some((url) =>
      url.includes(`:${settings.home}/`),
    );
    findings.push(configurationFinding(settings, env));
    findings.push(await homeFinding(settings.home, isHomeNeeded));
    findings.push(await ledgerFinding(settings.audit_url));
    findings.push(await storeFinding(settings, signal));
  }
  const used = 'check' in settings ? [] : Object.values(settings.targets).map(({ provider }) => provider);
  const handlers = listHandlers().filter(({ name }) => (options.provider ?? name) === name);
  const asked = await Promise.all(
    handlers.map((handler) =>
      providerFindings(handler, options, {
        needed: options.provider === handler.name || used.includes(handler.name),
        pins: 'check' in settings ? {} : settings.binaries,
        // With nothing named, every CLI that is there counts.
        parentNeeded: options.provider !== undefined || used.length === 0 || used.includes(handler.name),
      }),
    ),
  );
  if (signal.aborted) {
    throw new CloudCliError('cancelled', 'the checks were cancelled', { hint: 'Run doctor again.' });
  }
  const found = asked.flat();
  const isAnyNamed = options.provider !== undefined || used.length > 0;
  if (!isAnyNamed && handlers.every(({ binary }) => locate(binary, env.PATH) === undefined)) {
    const hint = 'Install the CLI of your cloud, or correct PATH.';
    found.push(
      problem('providers', 'no vendor CLI is here, so that nothing can be minted', hint, 'binary_missing'),
    );
  }
  return [...findings, ...found];
}

/** The settings, or what is wrong with them. */
function settingsOf(env: NodeJS.ProcessEnv): Settings | Finding {
  try {
    return loadSettings(env);
  } catch (error) {
    if (!isCloudCliError(error)) throw error;
    const hint = `${error.hint} Then run doctor again: the ledger and the store that it names were not checked.`;
    return problem('configuration', error.message, hint);
  }
}

async function providerFindings(
  handler: Handler,
  { env, live, signal, timeout_seconds = 20 }: DoctorOptions,
  { needed, parentNeeded, pins }: { needed: boolean; parentNeeded: boolean; pins: BinaryPins },
): Promise<Finding[]> {
  const { path: file, ...binary } = await findBinary(handler, env, pins);
  if (file === null) return [missingBinaryFinding(handler, env, needed)];
  // What a mint would not run is not run here either.
  if (binary.problem) return [binaryFinding(handler, file, binary), ...settingsFindings(handler, env)];
  const asking = { file, env, timeout_seconds, signal };
  return [
    binaryFinding(handler, file, binary),
    ...(await versionFindings(handler, asking, needed)),
    ...settingsFindings(handler, env),
    ...(live ? await identityFindings(handler, asking, parentNeeded) : []),
  ];
}

async function versionFindings(handler: Handler, asking: Asking, needed: boolean): Promise<Finding[]> {
  if (!handler.doctor) return [];
  const check = `${handler.name}.version`;
  const answer = await ask(handler, handler.doctor.version, asking);
  if ('text' in answer && answer.text !== undefined) return [ok(check, answer.text)];
  const message = 'failure' in answer ? answer.failure : `${handler.binary} does not tell its version`;
  const hint = `Run it on this host; an interpreter may be missing. ${handler.hints.binary_missing}`;
  const code = 'failure' in answer && !answer.started ? 'binary_missing' : 'invalid_request';
  return [needed ? problem(check, message, hint, code) : warning(check, message, hint)];
}

async function identityFindings(handler: Handler, asking: Asking, needed: boolean): Promise<Finding[]> {
  if (!handler.doctor) return [];
  const { identity } = handler.doctor;
  const check = `${handler.name}.identity`;
  const beaten = identity.beaten_by.find((variable) => asking.env[variable]);
  if (beaten !== undefined) {
    return [
      warning(
        check,
        `${beaten} in the environment is the parent identity, which ${handler.binary} does not name`,
        'Only a mint tells whether it holds.',
      ),
    ];
  }
  const answer = await ask(handler, identity, asking);
  if ('text' in answer && answer.text !== undefined) {
    const open = identity.local ? '; whether that login still holds, only a mint tells' : '';
    return [ok(check, `the parent is ${answer.text}${open}`)];
  }
  const message = 'failure' in answer ? answer.failure : `${handler.binary} names no parent identity`;
  const known = 'failure' in answer ? handler.explain(answer.failure, {}) : undefined;
  const hint = known?.hint ?? handler.hints.nonzero_exit;
  return [needed ? problem(check, message, hint) : warning(check, message, hint)];
}
