/** Bundles the console's page into one file for dist/browser, and puts its static files beside it. */
import { copyFileSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const require = createRequire(import.meta.url);
const oauth4webapi = join(dirname(require.resolve('oauth4webapi')), '..', 'LICENSE.md');

await build({
  entryPoints: ['src/browser/page.ts'],
  outfile: 'dist/browser/page.js',
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  legalComments: 'none',
  banner: { js: `/* Holds oauth4webapi:\n${readFileSync(oauth4webapi, 'utf8').replaceAll('*/', '* /')}*/` },
});
for (const name of ['page.css', 'icon.svg']) copyFileSync(`src/browser/${name}`, `dist/browser/${name}`);
