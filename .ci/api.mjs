/**
 * `npm run api`: writes the API report of every entry point (api/) and the reference (docs/api.md), both made of the
 * built declarations. With --check it writes nothing, and fails where they are not what it would write. It always
 * fails for an export without a docstring, and for a type that can be reached and not imported.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { reference } from './reference.mjs';

const root = join(import.meta.dirname, '..');
const reports = join(root, 'api');
const work = mkdtempSync(join(tmpdir(), 'cloud-cli-api-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Reachable, and for nobody to import: off a browser the element's class extends nothing. */
const unnamed = new Set(['Base']);
/** Everything that is exported is public. */
const ignored = new Set(['ae-missing-release-tag']);

const entries = Object.entries(exports)
  .filter(([, target]) => target.types)
  .map(([path, { types }]) => ({
    path,
    file: path === '.' ? 'index' : path.slice(2).replaceAll('/', '-'),
    types: join(root, types),
  }));

if (!entries.every(({ types }) => existsSync(types))) {
  console.error('There is no build to read: run `npm run build` first.');
  process.exit(1);
}

const configOf = ({ file, types }, lib) =>
  ExtractorConfig.prepare({
    packageJsonFullPath: join(root, 'package.json'),
    configObjectFullPath: undefined,
    configObject: {
      mainEntryPointFilePath: types,
      projectFolder: root,
      newlineKind: 'lf',
      // API Extractor brings a TypeScript of its own, which reads what ours wrote.
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'ES2023',
            ...lib,
            module: 'NodeNext',
            strict: true,
            skipLibCheck: true,
            rootDir: '.',
          },
          files: [types],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: `${file}.api.md`,
        reportFolder: work,
        reportTempFolder: join(work, 'temp'),
      },
      docModel: { enabled: true, apiJsonFilePath: join(work, `${file}.api.json`) },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: 'error' } },
        extractorMessageReporting: { default: { logLevel: 'error' } },
        tsdocMessageReporting: { default: { logLevel: 'error' } },
      },
    },
  });

// Where the DOM is known, its Credential would be in the way of ours.
const forBrowsers = entries.filter(({ path }) => path === './browser');
const others = entries.filter(({ path }) => path !== './browser');
const programs = [
  [forBrowsers, { lib: ['ES2023', 'DOM'], types: [] }],
  [others, { lib: ['ES2023'], types: ['node'] }],
];

const problems = [];
for (const [group, lib] of programs) {
  const configs = group.map((entry) => configOf(entry, lib));
  const compilerState = CompilerState.create(configs[0], {
    additionalEntryPoints: group.map(({ types }) => types),
  });
  for (const config of configs) {
    Extractor.invoke(config, {
      compilerState,
      localBuild: true,
      messageCallback(message) {
        message.handled = true;
        if (message.category !== 'console' && !ignored.has(message.messageId)) problems.push(message);
      },
    });
  }
}

const models = entries.map(({ path, file }) => ({
  path,
  members: JSON.parse(readFileSync(join(work, `${file}.api.json`), 'utf8')).members[0].members,
}));
// What the main entry point exports need not be exported by the others too.
const main = new Set(models.find(({ path }) => path === '.').members.map(({ name }) => name));
const missing = problems.filter(({ messageId, text }) => {
  const symbol = messageId === 'ae-forgotten-export' && /"([^"]+)"/.exec(text)[1].replace(/_\d+$/, '');
  return !(
    symbol &&
    (unnamed.has(symbol) || (main.has(symbol) && !text.includes('by the entry point index.d.ts')))
  );
});
for (const { messageId, text, sourceFilePath, sourceFileLine } of missing)
  console.error(`${sourceFilePath}:${sourceFileLine}: ${messageId}: ${text}`);

const made = new Map([
  ...entries.map(({ file }) => [`api/${file}.api.md`, readFileSync(join(work, `${file}.api.md`), 'utf8')]),
  ['docs/api.md', reference(models)],
]);

mkdirSync(reports, { recursive: true });
const gone = readdirSync(reports)
  .map((name) => `api/${name}`)
  .filter((name) => !made.has(name));
const stale = [...made]
  .filter(([name, text]) => !existsSync(join(root, name)) || readFileSync(join(root, name), 'utf8') !== text)
  .map(([name]) => name);
if (process.argv.includes('--check')) {
  for (const name of [...stale, ...gone]) console.error(`${name} is not what the code says`);
  if (stale.length + gone.length > 0)
    console.error('The public surface has changed: run `npm run api`, read the diff, and commit it.');
} else {
  for (const name of stale) writeFileSync(join(root, name), made.get(name));
  for (const name of gone) rmSync(join(root, name));
}
if (missing.length > 0 || (process.argv.includes('--check') && stale.length + gone.length > 0))
  process.exit(1);
