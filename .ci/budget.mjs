/**
 * `node .ci/budget.mjs PACK.json APP`: whether the tarball, and what it brings into an empty project, are within
 * budget.json. Raise a number there in the commit that needs it, and say in it why.
 */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [, , pack, app] = process.argv;
const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
const [{ size, unpackedSize, entryCount }] = Object.values(read(pack));
const modules = join(app, 'node_modules');

const spent = {
  packed_bytes: size,
  unpacked_bytes: unpackedSize,
  files: entryCount,
  installed_bytes: bytesBelow(modules),
  installed_packages: Object.keys(read(join(modules, '.package-lock.json')).packages).length,
};
let over = false;
for (const [name, most] of Object.entries(read(join(import.meta.dirname, 'budget.json')))) {
  const line = `budget: ${name} ${spent[name]} of ${most}`;
  if (spent[name] <= most) console.log(line);
  else {
    console.error(`${line}: exceeded`);
    over = true;
  }
}
if (over) process.exit(1);

function bytesBelow(directory) {
  return readdirSync(directory, { recursive: true })
    .map((path) => lstatSync(join(directory, path)))
    .reduce((sum, found) => (found.isFile() ? sum + found.size : sum), 0);
}
