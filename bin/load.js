/**
 * Loads the built command with what V8 compiled of it when it was built, by the name of the subcommand. Where that
 * does not fit this Node.js, or is not there, V8 compiles it again: slower, and no different otherwise.
 */
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { Script } = require('node:vm');

const dist = join(__dirname, '..', 'dist');

/** What the command's main part exports, and the script that holds it. */
function load(name) {
  const script = scriptOf('usual.cjs', readCache(name));
  let parts = script.runInThisContext();
  const loaded = new Map();
  const requirePart = (id) => {
    if (!id.startsWith('./')) return require(id);
    const known = loaded.get(id);
    if (known) return known.exports;
    const module = { exports: {} };
    loaded.set(id, module);
    const part = id.slice(2);
    if (!Object.hasOwn(parts, part)) parts = { ...parts, ...scriptOf('rest.cjs').runInThisContext() };
    parts[part](module.exports, requirePart, module, urlOf);
    return module.exports;
  };
  return { ...requirePart('./main.js'), script };
}

function scriptOf(file, cachedData) {
  const filename = join(dist, 'command', file);
  return new Script(readFileSync(filename, 'latin1'), { filename, cachedData });
}

/** The URL of the module that stands in the bundle: what it finds beside itself is still found there. */
function urlOf(file) {
  return pathToFileURL(join(dist, file)).href;
}

function readCache(name) {
  try {
    return readFileSync(join(dist, 'command', /^[a-z-]+$/.test(name) ? `${name}.cache` : 'help.cache'));
  } catch {
    return undefined;
  }
}

module.exports = { load };
