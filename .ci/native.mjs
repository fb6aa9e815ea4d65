/**
 * Builds the native addon where it is not there yet. Installs run no scripts in this repository (.npmrc), which shuts
 * the door that supply-chain attacks come through; this one package needs its own, by name.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

if (!loads()) {
  // Where no prebuilt binary can be had it is compiled; headers that came with node need no download.
  const prefix = join(dirname(process.execPath), '..');
  const headers = existsSync(join(prefix, 'include', 'node', 'node_version.h'))
    ? { npm_config_nodedir: prefix }
    : {};
  const rebuild = ['rebuild', 'better-sqlite3', '--ignore-scripts=false', '--loglevel=error'];
  const { status } = spawnSync('npm', rebuild, { stdio: 'inherit', env: { ...headers, ...process.env } });
  if (status !== 0 || !loads()) {
    console.error('better-sqlite3 could not be built: it needs Python, make and a C++ compiler.');
    process.exit(1);
  }
}

function loads() {
  const code = `new (require(${JSON.stringify(createRequire(import.meta.url).resolve('better-sqlite3'))}))(':memory:')`;
  return spawnSync(process.execPath, ['-e', code], { stdio: 'ignore' }).status === 0;
}
