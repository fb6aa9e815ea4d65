/** What schedules run on: lanes, homes that have an old credential, and a run of each scenario without faults. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lane } from './lane.mjs';
import { canaries, successes } from './scenario.mjs';
import { nameOf } from './schedule.mjs';
import { buildShim } from './shim.mjs';

const memory = '/dev/shm';

export class Bench {
  #lanes;
  #made = new Map();
  directory;

  constructor(lanes, variant) {
    // In memory where that can be: thousands of homes are made and synced.
    this.directory = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'cloud-cli-faults-'));
    const shim = buildShim(this.directory);
    this.#lanes = Array.from(
      { length: lanes },
      (_, index) => new Lane(join(this.directory, `lane-${index}`), shim, variant),
    );
  }

  /** Has every lane do `work`, all at once. */
  everyLane(work) {
    return Promise.all(this.#lanes.map(work));
  }

  /** A scenario's run without faults: what it calls are the points, and what it writes can be cut off. */
  traced(scenario) {
    return this.#once(nameOf(scenario), async (lane) => {
      const template = scenario.old ? await this.#old(scenario.provider) : undefined;
      const schedule = {
        number: nameOf(scenario),
        scenario,
        faults: [],
        given: true,
        heeds: true,
        dies: true,
      };
      const ran = await lane.run(schedule, template, true);
      if (ran.trace.length === 0)
        throw new Error(`no trace of ${nameOf(scenario)}: ${JSON.stringify(ran.results)}`);
      return { ...ran, template, points: pointsOf(ran.trace) };
    });
  }

  /** A directory with the home of a host that has minted before. */
  #old(provider) {
    return this.#once(provider, async (lane) => {
      const directory = join(this.directory, `old-${provider}`);
      mkdirSync(directory, { mode: 0o700 });
      const scenario = { provider, word: successes[provider] };
      const { envelope, error } = await lane.ask({ mint: { directory, scenario, canary: canaries.old } });
      if (!envelope) throw new Error(`no old credential of ${provider}: ${error?.text}`);
      return directory;
    });
  }

  #once(name, make) {
    if (!this.#made.has(name)) this.#made.set(name, make(this.#lanes[this.#made.size % this.#lanes.length]));
    return this.#made.get(name);
  }

  async end() {
    await this.everyLane((lane) => lane.end());
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10 });
  }
}

function pointsOf(trace) {
  return trace
    .filter(({ mark, call }) => !['start', 'again'].includes(mark) && call !== 'fired')
    .map(({ mark, call, file, number }) => ({ mark, call, file, number }));
}
