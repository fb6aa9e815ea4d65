/** Whether this Node.js is one that the package runs on. */
import { readFileSync } from 'node:fs';
import { type Finding, ok, problem } from './finding.js';

export function nodeFinding(version = process.versions.node): Finding {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    engines: { node: string };
  };
  const least = manifest.engines.node.replace('>=', '');
  if (isAtLeast(version, least)) return ok('node', `Node.js ${version}`);
  return problem('node', `Node.js ${version} is older than ${least}`, `Install Node.js ${least} or later.`);
}

function isAtLeast(version: string, least: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}
