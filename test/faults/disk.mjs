/**
 * A disk as a power cut leaves it: of each write, rename and the like that no fsync had covered any part may be there,
 * and a write may be torn at a sector's border. That is POSIX's word, which is less than most file systems keep.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const sector = 512;

/** The memory that SQLite's processes share, which a new one makes anew after a boot. */
const isVolatile = (path) => path.endsWith('-shm');

/** A file or a directory: what is safe of it, and the changes of it that nobody has synced. */
class Item {
  constructor(safe) {
    this.safe = safe;
    this.waiting = [];
  }

  /** What is there if `keeps` says so of each of those changes. */
  as(keeps) {
    return this.waiting.reduce((state, change) => change(state, keeps), this.safe);
  }

  sync() {
    this.safe = this.as(() => true);
    this.waiting = [];
  }
}

const newFile = (content = Buffer.alloc(0)) => new Item(content);
const newDirectory = () => new Item(new Map());

/** A change that is there whole or not at all. */
const whole = (change) => (state, keeps) => (keeps() ? change(state) : state);

export class Disk {
  #root;
  /** By path, as the process sees it. */
  #items;

  /** What lies below `root` is on it; `root` itself is there. */
  constructor(root) {
    this.#root = root;
    this.#items = new Map([[root, newDirectory()]]);
  }

  /** Puts on it what was there before, and is safe: a file, or without `content` a directory. */
  put(path, content) {
    const item = content === undefined ? newDirectory() : newFile(content);
    this.#items.set(path, item);
    this.#items.get(dirname(path)).safe.set(path, item);
  }

  /** Applies one call of the trace. */
  apply({ call, result, offset, data, path, to }) {
    if (result < 0) return;
    const item = this.#items.get(path);
    if (call === 'create') this.#enter(path, newFile());
    else if (call === 'mkdir') this.#enter(path, newDirectory());
    else if (call === 'open' && to === 'truncate') item.waiting.push(whole(() => Buffer.alloc(0)));
    else if (call === 'write') item.waiting.push((content, keeps) => written(content, offset, data, keeps));
    else if (call === 'truncate') item.waiting.push(whole((content) => resized(content, offset)));
    else if (call === 'fsync') item.sync();
    else if (call === 'link') this.#enter(to, item);
    else if (call === 'unlink') this.#enter(undefined, undefined, path);
    else if (call === 'rename') this.#enter(to, item, path);
  }

  /** Makes the disk below `target`; `keeps` says of each thing that was not synced whether it is there. */
  write(target, keeps) {
    const make = (item, path) => {
      const state = item.as(keeps);
      if (state instanceof Map) {
        mkdirSync(path, { recursive: true, mode: 0o700 });
        for (const [name, entry] of state) if (!isVolatile(name)) make(entry, join(path, basename(name)));
      } else writeFileSync(path, state, { mode: 0o600 });
    };
    make(this.#items.get(this.#root), target);
  }

  /** A new entry, instead of an old one, or both: what renames does so in one step. */
  #enter(path, item, leaving) {
    if (leaving !== undefined) this.#items.delete(leaving);
    if (path !== undefined) this.#items.set(path, item);
    this.#items.get(dirname(path ?? leaving)).waiting.push(
      whole((entries) => {
        const next = new Map(entries);
        if (leaving !== undefined) next.delete(leaving);
        if (path !== undefined) next.set(path, item);
        return next;
      }),
    );
  }
}

function resized(content, size) {
  const next = Buffer.alloc(size);
  content.copy(next, 0, 0, size);
  return next;
}

/** A write sector by sector: each may be there by itself, as with a disk that reorders. */
function written(content, offset, data, keeps) {
  let next = content;
  for (let at = 0; at < data.length; ) {
    const end = Math.min(data.length, at + sector - ((offset + at) % sector));
    if (keeps()) {
      if (next.length < offset + end) next = resized(next, offset + end);
      else if (next === content) next = Buffer.from(next);
      data.copy(next, offset + at, at, end);
    }
    at = end;
  }
  return next;
}
