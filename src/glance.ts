/** What was seen a moment ago: who answers thousands of calls a second need not ask the file system for each. */
import { monotonicMs } from './monotonic.js';

const momentMs = 100;
const mostKept = 100;

/** Remembers for a tenth of a second what a look told, by a key. */
export class Glance<T> {
  readonly #seen = new Map<string, { until: number; told: T }>();

  at(key: string, look: () => T): T {
    const now = monotonicMs();
    const known = this.#seen.get(key);
    if (known && known.until > now) return known.told;
    if (this.#seen.size >= mostKept) this.#seen.clear();
    const told = look();
    this.#seen.set(key, { until: now + momentMs, told });
    return told;
  }
}
