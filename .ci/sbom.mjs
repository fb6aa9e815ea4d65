/**
 * `npm run --silent sbom >FILE`: what the package brings along, as CycloneDX. npm makes it of the lock file; but it
 * names the package after the directory that it lies in, and with --omit=dev it leaves out what a package for the
 * development needs too, so that both are put right here.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const root = new URL('..', import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(name, root), 'utf8'));
const { name } = read('package.json');

const asked = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=library', '--package-lock-only'];
const { status, stdout } = spawnSync('npm', asked, {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
  stdio: ['ignore', 'pipe', 'inherit'],
});
if (status !== 0) process.exit(1);

const bom = JSON.parse(stdout);
const own = bom.metadata.component['bom-ref'];
const shipped = new Set(
  Object.entries(read('package-lock.json').packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
    .map(([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 13)}@${version}`),
);
const isShipped = (ref) => ref === own || shipped.has(ref);

bom.metadata.component.name = name;
bom.components = bom.components.filter((component) => isShipped(component['bom-ref']));
bom.dependencies = bom.dependencies
  .filter(({ ref }) => isShipped(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter(isShipped) }));
process.stdout.write(`${JSON.stringify(bom, null, 2)}\n`);
