/**
 * Loads the built command with what V8 compiled of it when it was built, by the name of the subcommand. Where that
 * does not fit this Node.js, or is not there, V8 compiles it again: slower, and no different otherwise.
 */
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { Script } = require('node:vm');

const dist = join(__dirname, '..', 'dist');

/** What the command's main part exports, and the scripts that were needed until now. */
function load(name) {
  const command = /^[a-z][a-z-]*$/.test(name) ? name : 'help';
  const scripts = new Map();
  const partsIn = (file) => {
    const filename = join(dist, 'command', file);
    const cachedData = readCache(`${command}.${file}`);
    const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData });
    scripts.set(file, script);
    return script.runInThisContext();
  };

  const files = ['start.cjs', 'mint.cjs', 'spawn.cjs', 'rest.cjs'];
  let parts = {};
  const loaded = new Map();
  const requirePart = (id) => {
    if (id.startsWith('node:')) return whenUsed(id);
    if (!id.startsWith('./')) return require(id);
    const known = loaded.get(id);
    if (known) return known.exports;
    const module = { exports: {} };
    loaded.set(id, module);
    const part = id.slice(2);
    while (!Object.hasOwn(parts, part)) parts = { ...parts, ...partsIn(files.shift()) };
    parts[part](module.exports, requirePart, module, urlOf);
    return module.exports;
  };
  return { main: requirePart('./main.js').main, scripts };
}

function readCache(name) {
  try {
    return readFileSync(join(dist, 'command', `${name}.cache`));
  } catch {
    return undefined;
  }
}

const ofNode = new Map();

/** A module of Node's own, loaded when something of it is first used: node:crypto takes a sixth of a short command. */
function whenUsed(id) {
  if (!ofNode.has(id)) {
    let used;
    const get = (_, name) => {
      used ??= require(id);
      return name === 'default' ? used : used[name];
    };
    ofNode.set(id, new Proxy({}, { get }));
  }
  return ofNode.get(id);
}

/** The URL of the module that stands in the bundle: what it finds beside itself is still found there. */
function urlOf(file) {
  return pathToFileURL(join(dist, file)).href;
}

module.exports = { load };
