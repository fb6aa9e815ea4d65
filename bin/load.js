/**
 * Loads the built command with what V8 compiled of it when it was built, by the name of the subcommand. Where that
 * does not fit this Node.js, or is not there, V8 compiles it again: slower, and no different otherwise.
 */
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { Script } = require('node:vm');

const dist = join(__dirname, '..', 'dist');

/** What the command's main part exports, and its script. */
function load(name) {
  const filename = join(dist, 'command', 'command.cjs');
  const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData: readCache(name) });
  const parts = script.runInThisContext();
  const loaded = new Map();
  const requirePart = (id) => {
    if (!id.startsWith('./')) return require(id);
    const known = loaded.get(id);
    if (known) return known.exports;
    const module = { exports: {} };
    loaded.set(id, module);
    parts[id.slice(2)](module.exports, requirePart, module, urlOf);
    return module.exports;
  };
  return { ...requirePart('./main.js'), script };
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
