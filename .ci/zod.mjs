/** Puts zod into dist/zod.js, in place of its hundred files: what bundles it after this keeps its licence. */
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';

const license = readFileSync('node_modules/zod/LICENSE', 'utf8');

await build({
  entryPoints: ['dist/zod.js'],
  outfile: 'dist/zod.js',
  allowOverwrite: true,
  bundle: true,
  format: 'esm',
  target: 'node20.19',
  minify: true,
  banner: { js: `/*! Holds zod:\n${license.replaceAll('*/', '* /')}*/` },
});
