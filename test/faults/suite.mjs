/** The suite: draws schedules of faults at the points of a mint, runs them, and collects what broke. */
import { join } from 'node:path';
import { Bench } from './bench.mjs';
import { cutPower } from './power.mjs';
import { regressions } from './regressions.mjs';
import { successes } from './scenario.mjs';
import { describe, draw, scenarioOf } from './schedule.mjs';

/**
 * @typedef {{ seed: string, schedules: number, only?: number, lanes?: number, variant?: string, told?: (_: object) => void }} Asked
 */

/**
 * Runs what once broke and `schedules` schedules of a seed, or `only` the one of that number; with `variant`, on the
 * product as that broken variant, up to the first violation.
 * @param {Asked} asked
 * @returns `{outcomes, violations}`: what came of each kind of fault, and each sentence that was not true
 */
export async function runSuite({
  seed,
  schedules,
  only = undefined,
  lanes = 8,
  variant = undefined,
  told = (_) => {},
}) {
  const bench = new Bench(only === undefined ? lanes : 1, variant);
  const all = Array.from({ length: schedules }, (_, number) => number);
  // What is broken on purpose breaks in the plainest scenario, and nobody need wait for the others.
  const isPlain = ({ provider, word }) => provider === 'aws' && word === successes.aws;
  const numbers = variant === undefined ? all : all.filter((number) => isPlain(scenarioOf(seed, number)));
  const waiting = only === undefined ? [...regressions, ...numbers] : [only];
  const outcomes = [];
  const violations = [];
  try {
    await bench.everyLane(async (lane) => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const drawn = typeof next === 'number' ? scenarioOf(seed, next) : next.scenario;
        const traced = await bench.traced(drawn);
        const schedule = typeof next === 'number' ? draw(seed, next, traced.points) : next;
        const ran = schedule.cut
          ? await cutPower(lane, schedule, traced, join(bench.directory, `cut-${schedule.number}`))
          : await lane.run(schedule, traced.template);
        const outcome = ran.results[0]?.error?.outcome;
        if (schedule.outcome !== undefined && schedule.outcome !== outcome)
          ran.violations.push(`the outcome is ${outcome}, and should be ${schedule.outcome}`);
        outcomes.push({ kinds: schedule.kinds, outcome: outcomeOf(ran), hit: ran.hit });
        for (const violation of ran.violations) violations.push({ violation, schedule: describe(schedule) });
        told({ schedule, ran, done: outcomes.length });
        if (variant !== undefined && violations.length > 0) waiting.length = 0;
      }
    });
    return { outcomes, violations };
  } finally {
    await bench.end();
  }
}

function outcomeOf({ died, results }) {
  if (died) return died === 'power cut' ? died : 'died';
  return results[0]?.envelope ? 'succeeded' : (results[0]?.error?.code ?? 'none');
}
