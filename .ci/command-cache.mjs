/**
 * Keeps what V8 compiles of the command, for each of the usual subcommands after it has run in a process of its own:
 * then it holds the functions that a start needs, and no others. It fits the Node.js that made it alone.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
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
/** In this order: a credential is minted before it is used. */
const usual = [
  ['help'],
  ['handlers', '--json'],
  ['preview', ...request],
  ['mint', ...request],
  ['credential-process', 'idp:aws:prod'],
  ['exec', 'idp:aws:prod', '--', 'true'],
  ['credentials', 'list', '--json'],
  ['audit', 'list', '--json'],
];

const [home, ...args] = process.argv.slice(2);
if (home === undefined) makeAll();
else await make(home, args);

function makeAll() {
  const home = mkdtempSync(join(tmpdir(), 'cloud-cli-build-'));
  try {
    for (const args of usual) {
      const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), home, ...args], {
        stdio: 'inherit',
      });
      if (status !== 0) throw new Error(`${args[0]} failed`);
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function make(home, args) {
  const { main, script } = createRequire(import.meta.url)('../bin/load.js').load('none');
  const PATH = [resolve('fixtures', 'bin'), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter);
  const io = {
    stdin: new PassThrough().end(),
    stdout: new PassThrough().resume(),
    stderr: new PassThrough().resume(),
    env: { PATH, HOME: home },
  };
  const status = await main(args, io);
  if (status === 0) writeFileSync(join('dist', 'command', `${args[0]}.cache`), script.createCachedData());
  process.exitCode = status;
}
