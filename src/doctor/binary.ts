/** A vendor CLI's binary: where it is, and who could put another in its place. */
import { realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { Handler } from '../handler.js';
import { missing } from '../preview.js';
import { type Finding, ok, problem, warning } from './finding.js';
import { changeableBy, lookAt, modeOf, ownerOf } from './owner.js';

/** Where it is not there: a problem for whoever needs it, and a warning otherwise. */
export function missingBinaryFinding(handler: Handler, env: NodeJS.ProcessEnv, needed: boolean): Finding {
  const { message, hint } = missing(handler);
  const skipped = (env.PATH ?? '')
    .split(delimiter)
    .find((entry) => entry !== '' && lookAt(join(entry, handler.binary))?.isFile());
  const what = skipped
    ? `${message}; the one in ${skipped} is left out: it is not executable, anybody can write there, or that entry of PATH is relative`
    : message;
  const check = `${handler.name}.binary`;
  return needed ? problem(check, what, hint, 'binary_missing') : warning(check, what, hint);
}

export function binaryFinding(handler: Handler, path: string): Finding {
  const check = `${handler.name}.binary`;
  const real = realpathSync(path);
  const found = statSync(real);
  const shown = `${real === path ? path : `${path} -> ${real}`}, owner ${ownerOf(found)}, mode ${modeOf(found)}`;
  for (const place of [real, dirname(real), dirname(path)]) {
    const changeable = changeableBy(place, lookAt(place) ?? found);
    if (!changeable) continue;
    const who = place === real ? 'it' : place;
    const finding = isForAnybody(place) ? problem : warning;
    return finding(check, `${shown}: ${who} ${changeable.how}`, changeable.hint);
  }
  return ok(check, shown);
}

/** A group or another owner may be meant, such as Homebrew's; everybody never is. */
function isForAnybody(path: string): boolean {
  return ((lookAt(path)?.mode ?? 0) & 0o002) !== 0;
}
