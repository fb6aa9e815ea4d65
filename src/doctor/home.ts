/** The home directory and the configuration file: whether they are this user's alone. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../config.js';
import { shellWord } from '../shell.js';
import { beside, nearest } from './beside.js';
import { type Finding, ok, problem, warning } from './finding.js';
import { changeableBy, lookAt, modeOf } from './owner.js';

/** `needed` tells whether anything is kept in it. */
export async function homeFinding(home: string, needed: boolean): Promise<Finding> {
  const found = lookAt(home);
  if (!found)
    return needed ? newHomeFinding(home) : ok('home', `${home} is not there; nothing is kept in it`);
  if (!found.isDirectory()) {
    return problem('home', `${home} is not a directory`, 'Name another place in CLOUD_CLI_HOME.');
  }
  const changeable = changeableBy(home, found);
  if (changeable) return problem('home', `${home} ${changeable.how}`, changeable.hint);
  if (needed && !isWritable(home)) {
    return problem(
      'home',
      `${home} cannot be written by this user`,
      `Run: chown ${process.geteuid?.()} ${shellWord(home)}`,
    );
  }
  if ((found.mode & 0o055) !== 0) {
    return warning(
      'home',
      `${home} can be looked into by other users (mode ${modeOf(found)})`,
      `Run: chmod 700 ${shellWord(home)}`,
    );
  }
  return ok('home', `${home}, mode ${modeOf(found)}`);
}

/** Not there is how every host begins, as long as it can be made. */
async function newHomeFinding(home: string): Promise<Finding> {
  try {
    return await beside(home, async () => ok('home', `${home} is not there yet; the first mint makes it`));
  } catch (error) {
    return problem(
      'home',
      `${home} is not there and cannot be made in ${nearest(home)} (${(error as NodeJS.ErrnoException).code})`,
      `Make it for this user: mkdir -p ${shellWord(home)}; or name another place in CLOUD_CLI_HOME.`,
    );
  }
}

export function configurationFinding(settings: Settings, env: NodeJS.ProcessEnv): Finding {
  const path = env.CLOUD_CLI_CONFIG || join(settings.home, 'config.json');
  const found = lookAt(path);
  if (!found) return ok('configuration', `${path} is not there; defaults and the environment hold`);
  const changeable = changeableBy(path, found);
  if (changeable) return problem('configuration', `${path} ${changeable.how}`, changeable.hint);
  const targets = Object.keys(settings.targets).length;
  return ok('configuration', `${path}, targets: ${targets}, allow rules: ${settings.allow?.length ?? 0}`);
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
