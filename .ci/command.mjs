/**
 * Bundles the command, so that a start reads a file or two and not hundreds. Each part that is loaded by itself is a
 * function there, which V8 compiles when it is called; bin/load.js calls them, and .ci/command-cache.mjs keeps what V8
 * has compiled.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { build, transform } from 'esbuild';

const dist = resolve('dist');
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/** Our own modules: each keeps its own URL, by which it finds what lies beside it, and the version is known by now. */
const ownModules = {
  name: 'own-modules',
  setup(bundle) {
    bundle.onLoad({ filter: /\.js$/ }, ({ path }) => {
      const file = relative(dist, path);
      if (file.startsWith('..')) return undefined;
      if (file === 'version.js') return { contents: `export const version = '${version}';` };
      const text = readFileSync(path, 'utf8');
      return { contents: text.replaceAll('import.meta.url', `urlOf(${JSON.stringify(file)})`) };
    });
  },
};

/** The package `bindings` tries a dozen places for an addon, and would look for them beside the bundle. */
const nativeAddon = {
  name: 'native-addon',
  setup(bundle) {
    const addon = 'better-sqlite3/build/Release/better_sqlite3.node';
    bundle.onResolve({ filter: /^bindings$/ }, ({ path }) => ({ path, namespace: 'addon' }));
    bundle.onLoad({ filter: /./, namespace: 'addon' }, () => ({
      contents: `module.exports = () => require('${addon}');`,
    }));
    bundle.onResolve({ filter: /\.node$/ }, ({ path }) => ({ path, external: true }));
  },
};

/** They stand in parts of their own: what is theirs alone may have short names, since our code is what a trace shows. */
const libraries = {
  zod: join(dist, 'zod.js'),
  commander: resolve('node_modules/commander/index.js'),
  execa: resolve('node_modules/execa/index.js'),
  age: resolve('node_modules/age-encryption/dist/index.js'),
  base: resolve('node_modules/@scure/base/index.js'),
};

const common = { target: 'node20.19', charset: 'ascii', minifyWhitespace: true };
const { outputFiles, metafile } = await build({
  ...common,
  entryPoints: { main: join(dist, 'cli', 'main.js'), ...libraries },
  outdir: dist,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  // LICENSES.txt has them all.
  legalComments: 'none',
  // Of a tree whose node_modules is a link, the libraries are still found below it.
  preserveSymlinks: true,
  // They have workers of their own, or are only there where somebody installed them.
  external: ['pino', 'pg', '@aws-sdk/*', '@azure/*', '@google-cloud/*', 'google-auth-library'],
  plugins: [ownModules, nativeAddon],
  metafile: true,
  write: false,
});
/** What to find in which file: each holds what these modules load at once and no file before it has. */
const files = {
  'start.cjs': ['cli/main', 'cli/preview', 'cli/handlers'],
  'mint.cjs': [
    ...['mint', 'exec', 'credential-process', 'credentials', 'audit'].map((name) => `cli/${name}`),
    ...['audit/open', 'audit/sqlite', 'stores/open', 'stores/file', 'vendor-failure'],
    libraries.base,
  ],
  'spawn.cjs': [libraries.age, libraries.execa],
  'rest.cjs': Object.values(metafile.outputs).flatMap(({ entryPoint }) => entryPoint ?? []),
};
const placed = new Map();
for (const [file, entries] of Object.entries(files))
  for (const entry of entries) place(entry.endsWith('.js') ? relative('', entry) : `dist/${entry}.js`, file);

const parts = Object.fromEntries(Object.keys(files).map((file) => [file, []]));
for (const { path, text } of outputFiles) {
  const name = basename(path);
  const { code } = await transform(text, {
    ...common,
    minify: isLibrary(`dist/${name}`),
    format: 'cjs',
    // The packages that are not bundled are CommonJS too: nothing needs the loader of modules.
    supported: { 'dynamic-import': false },
  });
  parts[placed.get(`dist/${name}`)].push(
    `${JSON.stringify(name)}:function(exports,require,module,urlOf){${ascii(light(code))}\n}`,
  );
}
rmSync(join(dist, 'command'), { recursive: true, force: true });
mkdirSync(join(dist, 'command'));
for (const [file, functions] of Object.entries(parts))
  writeFileSync(join(dist, 'command', file), `({\n${functions.join(',\n')}\n})\n`);
writeFileSync(join(dist, 'command', 'LICENSES.txt'), licenses());

/** Whether a part holds nothing of our own code. */
function isLibrary(part) {
  return Object.keys(metafile.outputs[part].inputs).every(
    (file) => file.startsWith('node_modules/') || file === 'dist/zod.js',
  );
}

/**
 * Where esbuild would copy a module of Node's own whole, for its default export, bin/load.js gives it one. In a library
 * what copies has a short name.
 */
function light(code) {
  return code.replaceAll(/(?<![\w$.])[\w$]+\((require\("node:[\w/]+"\))\)/g, '$1');
}

/** What esbuild leaves as it stands in a regular expression, bin/load.js would read as other characters. */
function ascii(code) {
  return code.replaceAll(
    /[^\0-\x7f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function place(entry, file) {
  const start = Object.keys(metafile.outputs).find((part) => metafile.outputs[part].entryPoint === entry);
  for (const waiting = [start]; waiting.length > 0; ) {
    const part = waiting.pop();
    if (placed.has(part)) continue;
    placed.set(part, file);
    const { imports } = metafile.outputs[part];
    waiting.push(
      ...imports.flatMap(({ path, kind }) =>
        kind === 'import-statement' && path in metafile.outputs ? path : [],
      ),
    );
  }
}

/** The licences of what is bundled, as they ask for. */
function licenses() {
  const folders = Object.keys(metafile.inputs).flatMap(
    (file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file) ?? [],
  );
  return [...new Set(folders)]
    .sort()
    .map((folder) => {
      const name = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
      const { license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const text = name ? readFileSync(join(folder, name), 'utf8').trim() : license;
      return `${folder.replace(/^.*node_modules\//, '')}\n\n${text}\n`;
    })
    .join('\n\n');
}
