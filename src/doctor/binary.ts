/** A vendor CLI's binary: where it is, what it is, and who could put another in its place. */
import { statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { type FoundBinary, missing } from '../binary.js';
import type { Handler } from '../handler.js';
import type { Provenance } from '../provenance.js';
import { type Finding, ok, problem, warning } from './finding.js';
import { changeableBy, lookAt, ownerOf } from './owner.js';

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

/** What a mint would refuse is a problem; what more people than need be could change is a warning. */
export function binaryFinding(handler: Handler, path: string, found: Omit<FoundBinary, 'path'>): Finding {
  const check = `${handler.name}.binary`;
  if (!found.provenance)
    return problem(check, found.problem?.message ?? path, found.problem?.hint ?? '', 'binary_missing');
  const { real_path } = found.provenance;
  const shown = shownOf(path, found.provenance);
  if (found.problem)
    return problem(check, `${shown}: ${found.problem.message}`, found.problem.hint, 'binary_missing');
  const above = [...waysTo(real_path), ...waysTo(path)].filter(isForAnybody);
  for (const place of [real_path, dirname(real_path), dirname(path), ...above]) {
    const changeable = changeableBy(place, lookAt(place) ?? statSync(real_path));
    if (!changeable) continue;
    const who = place === real_path ? 'it' : place;
    return warning(check, `${shown}: ${who} ${changeable.how}`, changeable.hint);
  }
  return ok(check, shown);
}

function shownOf(path: string, { real_path, mode, sha256 }: Provenance): string {
  const where = real_path === path ? path : `${path} -> ${real_path}`;
  const owner = ownerOf(lookAt(real_path) ?? statSync(path));
  return `${where}, owner ${owner}, mode ${mode}, sha256 ${sha256 ?? 'unknown'}`;
}

/** A group or another owner may be meant, such as Homebrew's; everybody never is. */
function isForAnybody(path: string): boolean {
  return ((lookAt(path)?.mode ?? 0) & 0o002) !== 0;
}

/** The directories above: whoever can change one of them can put another in the place of all below it. */
function waysTo(path: string): string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...waysTo(above)];
}
