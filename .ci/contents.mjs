/**
 * `node .ci/contents.mjs PACK.json`, of `npm pack --json`: whether the tarball holds what it should and nothing else.
 * Outside of dist/ that is what git has of the folders below; what a build left behind stands in no pattern.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

const always = [
  'package.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'SECURITY.md',
  'dist/config.schema.json',
  'dist/spawn-helper-process.js',
  // What the browser's part has of the others.
  ...['challenge', 'duration', 'shell'].map((name) => `dist/${name}.js`),
];
const built = [
  /^dist\/(?!browser\/page|cli\/).+\.d\.ts$/,
  /^dist\/library\/[\w-]+\.js$/,
  /^dist\/browser\/(?!page\/).+\.js$/,
  /^dist\/browser\/(?:page\.css|icon\.svg)$/,
  /^dist\/command\/(?:\w+\.cjs|[\w-]+\.\w+\.cjs\.cache|LICENSES\.txt)$/,
];
/** Of these folders whatever git has, and it must all be there. */
const kept = [
  /^bin\/(?:cloud-cli\.js|load\.js|package\.json)$/,
  /^man\/cloud-cli[a-z-]*\.[15]$/,
  /^docs\/(?:decisions\/)?[\w-]+\.md$/,
  /^examples\/(?:[\w@-][\w@.-]*\/)*[\w@-][\w@.-]*$/,
  /^fixtures\/(?:bin|loopback|output|vendor)\/[\w./-]+$/,
];

const [packed] = Object.values(JSON.parse(readFileSync(process.argv[2], 'utf8')));
const inside = new Set(packed.files.map(({ path }) => path));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trimEnd().split('\n');
const matches = (patterns, path) => patterns.some((pattern) => pattern.test(path));

const expected = new Set([
  ...always,
  ...tracked.filter((path) => matches(kept, path)),
  ...Object.values(manifest.bin),
  ...manifest.man.map(plain),
  ...Object.values(manifest.exports)
    .flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)))
    .map(plain),
  ...['page.js', 'page.css', 'icon.svg'].map((name) => `dist/browser/${name}`),
]);
const manPages = tracked.filter((path) => path.startsWith('man/'));

const problems = [
  ...[...inside]
    .filter((path) => !expected.has(path) && !matches(built, path))
    .map((path) => `${path} is in the tarball, and nothing says that it should be`),
  ...[...expected].filter((path) => !inside.has(path)).map((path) => `${path} is not in the tarball`),
  ...manPages
    .filter((path) => !manifest.man.map(plain).includes(path))
    .map((path) => `${path} is not in package.json's "man": it would not be installed`),
];
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(`contents: ${inside.size} files, each of them meant`);

function plain(path) {
  return path.replace(/^\.\//, '');
}
