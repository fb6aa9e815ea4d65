/**
 * Bundles what an embedder imports into dist/library, so that an import reads a few files and not sixty. All entry
 * points are one build: a class is there once, whichever of them it came by.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { build } from 'esbuild';

const dist = resolve('dist');
const library = join(dist, 'library');
const { version, exports } = JSON.parse(readFileSync('package.json', 'utf8'));

/** By the names of their bundles, what tsc made of each entry point. A page's own bundler walks the one for browsers. */
const entryPoints = Object.fromEntries(
  Object.entries(exports)
    .filter(([entry, { types }]) => types && entry !== './browser')
    .map(([, { types, default: bundle }]) => [
      relative(library, bundle).replace(/\.js$/, ''),
      resolve(types.replace(/\.d\.ts$/, '.js')),
    ]),
);

/**
 * They, and what is loaded later, load the main entry point too, so that all it consists of stands in one file; who
 * imports them has imported it. Not so the admin's door, which must not load what mints.
 */
const besideMain = [
  ...Object.values(entryPoints).filter((file) => !file.endsWith(join('http', 'admin.js'))),
  ...['audit/intake.js', 'vendor-failure.js'].map((file) => join(dist, file)),
];

/** Our own modules: each keeps its own URL, by which it finds what lies beside it, and the version is known by now. */
const ownModules = {
  name: 'own-modules',
  setup(bundle) {
    bundle.onResolve({ filter: /^main$/ }, () => ({ path: join(dist, 'index.js') }));
    bundle.onLoad({ filter: /\.js$/ }, ({ path }) => {
      const file = relative(dist, path);
      if (file === 'version.js') return { contents: `export const version = '${version}';` };
      const url = `new URL(${JSON.stringify(`../${file}`)}, import.meta.url)`;
      const contents = readFileSync(path, 'utf8').replaceAll('import.meta.url', url);
      return { contents: besideMain.includes(path) ? `import 'main';\n${contents}` : contents };
    });
  },
};

/** Zod, and each module of Node's own, is run when it is first used: node:crypto takes longer than all that is ours. */
const whenUsed = {
  name: 'when-used',
  setup(bundle) {
    const namespace = 'when-used';
    bundle.onResolve({ filter: /^node:|\/zod\.js$/ }, ({ path, kind }) => {
      if (kind === 'import-statement') return { path, namespace };
      return path.startsWith('node:') ? { path, external: true } : { path: join(dist, 'zod.js') };
    });
    bundle.onLoad({ filter: /./, namespace }, ({ path }) => ({
      contents: `
        let used;
        module.exports = new Proxy({}, {
          get(_, name) {
            used ??= ${path.startsWith('node:') ? 'process.getBuiltinModule' : 'require'}('${path}');
            return name === 'default' ? used : used[name];
          },
        });`,
    }));
  },
};

const common = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
  target: 'node20.19',
  write: false,
};
rmSync(library, { recursive: true, force: true });
mkdirSync(library);
const bundles = await build({
  ...common,
  entryPoints,
  outdir: library,
  splitting: true,
  chunkNames: 'shared-[hash]',
  // The package's own word that nothing happens on import would part what is to be loaded together.
  ignoreAnnotations: true,
  plugins: [whenUsed, ownModules],
});
// A process of its own, which shares nothing with them.
const helper = await build({
  ...common,
  entryPoints: [join(dist, 'spawn-helper-process.js')],
  outdir: dist,
  allowOverwrite: true,
});
for (const { path, text } of [...bundles.outputFiles, ...helper.outputFiles])
  writeFileSync(path, light(text));

/** What esbuild makes of a CommonJS module, for the sake of its default export, would use it at once. */
function light(code) {
  return code.replaceAll(/__toESM\((require_\w+\(\)), 1\)/g, '$1');
}
