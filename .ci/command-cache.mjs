/**
 * Keeps what V8 compiles of the command, for each of the usual subcommands after it has run in a process of its own:
 * then it holds the functions that a start needs, and no others. It fits the Node.js that made it alone.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const key = ['--target-credential-key', 'idp:aws:prod'];
const request = [
  '--provider',
  'aws',
  ...key,
  '--role-arn',
  'arn:aws:iam::123456789012:role/deploy',
  '--json',
];
/** In this order: a credential is minted before it is used, and the first mint makes what the others find. */
const usual = [
  ['help'],
  ['handlers', '--json'],
  ['preview', ...request],
  ['mint', ...request],
  ['mint', ...request],
  ['credential-process', 'idp:aws:prod'],
  ['exec', 'idp:aws:prod', '--', 'true'],
  ['credentials', 'list', '--json'],
  ['audit', 'list', '--json'],
];

const [...args] = process.argv.slice(2);
if (args.length === 0) makeAll();
else await make(args);

function makeAll() {
  const home = mkdtempSync(join(tmpdir(), 'cloud-cli-build-'));
  const PATH = [resolve('fixtures', 'bin'), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter);
  try {
    for (const args of usual) {
      const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...args], {
        env: { PATH, HOME: home },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      if (status !== 0) throw new Error(`cloud-cli ${args[0]} failed`);
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function make(args) {
  const { main, scripts } = createRequire(import.meta.url)('../bin/load.js').load('none');
  process.exitCode = await main(args);
  for (const [file, script] of scripts)
    writeFileSync(join('dist', 'command', `${args[0]}.${file}.cache`), script.createCachedData());
}
