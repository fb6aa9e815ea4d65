/**
 * `npm run fuzz`: fuzzes what reads input from outside. `--target NAME` (more than once), `--seconds N` each,
 * `--seed N`, and `--input FILE` to run one input again.
 */
import { mkdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

// One script, so that V8 counts in one place; what is not ours stays outside of it.
const here = fileURLToPath(new URL('.', import.meta.url));
const directory = join(here, '../../node_modules/.cache/cloud-cli-fuzz', String(process.pid));
mkdirSync(directory, { recursive: true });
const script = pathToFileURL(join(realpathSync(directory), 'main.mjs')).href;
try {
  await build({
    entryPoints: [join(here, 'main.ts')],
    outfile: fileURLToPath(script),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  });
  const { main } = await import(script);
  process.exitCode = await main(process.argv.slice(2), { seeds: join(here, 'seeds'), script });
} finally {
  rmSync(directory, { recursive: true, force: true });
}
