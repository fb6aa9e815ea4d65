/** The operator's own settings of a vendor CLI: what in them leaks or breaks, and who can read and change them. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import type { Checkup, Handler, HarmfulSetting } from '../handler.js';
import { shellWord } from '../shell.js';
import { type Finding, ok, problem, warning } from './finding.js';
import { entriesOf } from './ini.js';
import { changeableBy, lookAt, modeOf } from './owner.js';

type Env = NodeJS.ProcessEnv;

/** Findings about `<provider>.settings`, then about `<provider>.files`; one that all is well where it is. */
export function settingsFindings({ name, doctor }: Handler, env: Env): Finding[] {
  if (!doctor) return [];
  const expand = expansionOf(doctor.places, env);
  const steering = [...new Set(doctor.settings.map(({ file }) => expand(file)))].filter(isFile);
  const secrets = doctor.secrets.map(({ file, holding }) => ({ path: expand(file), holding }));

  const harmful = doctor.settings.flatMap((setting) =>
    harmOf(`${name}.settings`, setting, expand(setting.file), env),
  );
  const open = [
    ...steering.flatMap((path) => changeableFinding(`${name}.files`, path)),
    ...secrets.flatMap(({ path, holding }) => readableFinding(`${name}.files`, path, holding)),
  ];
  const kept = secrets.filter(({ path }) => isFile(path)).map(({ path }) => path);
  return [
    ...(harmful.length > 0
      ? harmful
      : [
          ok(
            `${name}.settings`,
            listed('nothing leaks or breaks a mint in', steering, 'no settings file is there'),
          ),
        ]),
    ...(open.length > 0
      ? open
      : [ok(`${name}.files`, listed('closed to other users:', kept, 'no credential file is there'))]),
  ];
}

/** Makes a path of one with places in it. */
function expansionOf(places: Checkup['places'], env: Env): (path: string) => string {
  const known: Record<string, string> = {};
  const expand = (path: string) =>
    path
      .replace(/<(\w+)>/g, (whole, name: string) => known[name] ?? whole)
      .replace(/^~(?=\/|$)/, env.HOME || homedir());
  for (const [name, { variable, file, otherwise }] of Object.entries(places)) {
    const written = file === undefined ? '' : (textOf(expand(file)) ?? '').trim();
    known[name] = expand(env[variable] || written || otherwise);
  }
  return expand;
}

/** The setting where it does harm; its value is not told, for it could be anything. */
function harmOf(check: string, setting: HarmfulSetting, path: string, env: Env): Finding[] {
  const finding = setting.status === 'problem' ? problem : warning;
  const { variable, effect, hint } = setting;
  const set = variable === undefined ? '' : (env[variable] ?? '');
  if (variable !== undefined && set !== '') {
    return setting.value.test(set)
      ? [finding(check, `${variable} in the environment ${effect}`, `Unset ${variable}, or: ${hint}`)]
      : [];
  }
  return entriesOf(textOf(path) ?? '')
    .filter(({ section, name }) => name === setting.name && setting.section.test(section))
    .filter(({ value }) => setting.value.test(value))
    .map(({ section, name }) => finding(check, `${path}: ${name} in [${section}] ${effect}`, hint));
}

function changeableFinding(check: string, path: string): Finding[] {
  const changeable = changeableBy(path, lookAt(path)!);
  return changeable ? [problem(check, `${path} ${changeable.how}`, changeable.hint)] : [];
}

function readableFinding(check: string, path: string, holding: RegExp | undefined): Finding[] {
  const found = lookAt(path);
  if (!found?.isFile() || (found.mode & 0o077) === 0) return [];
  if (holding && !holding.test(textOf(path) ?? '')) return [];
  const message = `${path} holds credentials and is open to other users (mode ${modeOf(found)})`;
  return [problem(check, message, `Run: chmod 600 ${shellWord(path)}`)];
}

function listed(before: string, paths: readonly string[], none: string): string {
  return paths.length > 0 ? `${before} ${paths.join(', ')}` : none;
}

/** /dev/null and its like hold nothing, and are everybody's. */
function isFile(path: string): boolean {
  return lookAt(path)?.isFile() === true;
}

function textOf(path: string): string | undefined {
  try {
    return isFile(path) ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
