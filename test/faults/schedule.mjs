/** Draws schedules: what is minted, which faults befall it where, who else is there, and what is asked afterwards. */
import { kinds } from './kinds.mjs';
import { seeded } from './random.mjs';

const scenarios = [
  [30, { provider: 'aws', word: 'deploy', old: true }],
  [20, { provider: 'aws', word: 'deploy', old: false }],
  [12, { provider: 'gcp', word: 'minter', old: true }],
  [10, { provider: 'azure', word: 'vault', old: true }],
  [6, { provider: 'aws', word: 'denied', old: true }],
  [4, { provider: 'aws', word: 'truncated', old: false }],
  [4, { provider: 'aws', word: 'signal', old: true }],
  [4, { provider: 'aws', word: 'leaky', old: true }],
  [4, { provider: 'aws', word: 'wrong-identity', old: true }],
  [3, { provider: 'azure', word: 'past-expiry', old: false }],
  [3, { provider: 'aws', word: 'hanging', old: true, timeout_seconds: 4 }],
];

export const nameOf = ({ provider, word, old }) => `${provider} ${word} ${old ? 'again' : 'first'}`;

/** Where a second process may come in: where the mint awaits something anyway. */
const rivalMarks = ['open', 'PENDING', 'recorded', 'vendor', 'ISSUED', 'persist', 'persisted', 'closed'];

/** What is minted in the schedule of this number. */
export function scenarioOf(seed, number) {
  return weighted(scenarios, seeded(seed, number, 'scenario'));
}

/** The schedule of this number; `points` are those of its scenario. */
export function draw(seed, number, points) {
  const random = seeded(seed, number);
  const scenario = scenarioOf(seed, number);
  const names = [
    weighted(
      Object.entries(kinds).map(([name, { share }]) => [share, name]),
      random,
    ),
  ];
  const lone = kinds[names[0]].cuts;
  if (!lone && random.chance(0.3)) {
    const others = Object.keys(kinds).filter(
      (name) => !kinds[name].cuts && !(kinds[name].dies && names[0] === name),
    );
    names.push(random.pick(others));
  }
  const faults = names.map((name) => {
    const point = pickPoint(points, kinds[name].at, random);
    return { kind: name, point, ...kinds[name].make(point, random) };
  });
  const heeds = random.chance(0.75);
  const given = random.chance(0.5);
  return {
    number,
    kinds: names,
    scenario,
    faults,
    given,
    heeds,
    dies: names.some((name) => kinds[name].dies || (name === 'signal' && !heeds)),
    cut: lone ? { seed: `${seed} ${number}`, keeps: random.pick([0, 0, 0.2, 0.5, 0.8, 1]) } : undefined,
    rival:
      !lone && random.chance(0.1) ? { mark: random.pick(rivalMarks), waits: random.chance(0.5) } : undefined,
    again: given && random.chance(0.7),
    another: random.chance(0.2),
    settleMs: names.includes('hang') ? 60 : 0,
  };
}

/** First the part of the mint, then the call: else the many writes of the log would be drawn alone. */
function pickPoint(points, at, random) {
  const fitting = points.filter(at);
  const groups = Object.values(groupBy(fitting, ofGroup));
  return random.pick(random.pick(groups));
}

const ofGroup = ({ mark, call, file }) => `${mark} ${call} ${file}`;

function groupBy(list, of) {
  const groups = {};
  for (const item of list) {
    groups[of(item)] ??= [];
    groups[of(item)].push(item);
  }
  return groups;
}

function weighted(choices, random) {
  let left = random.next() * choices.reduce((sum, [share]) => sum + share, 0);
  for (const [share, choice] of choices) {
    left -= share;
    if (left < 0) return choice;
  }
  return choices[0][1];
}

/** A schedule in words: with its number it can be run again by itself. */
export function describe({ number, scenario, faults, given, heeds, rival, again, another, cut }) {
  const told = faults.map(({ kind, point, ...how }) => {
    const details = Object.entries(how).map(([name, value]) => `${name} ${value}`);
    return `${kind} at ${point.mark}: ${point.call} ${point.file} #${point.number} (${details.join(', ')})`;
  });
  const more = [
    given ? 'run_id given' : '',
    heeds ? 'heeds signals' : '',
    rival ? `a rival at ${rival.mark}${rival.waits ? ', waited for' : ''}` : '',
    again ? 'again' : '',
    another ? 'another' : '',
    cut ? `keeps ${cut.keeps}` : '',
  ].filter(Boolean);
  return `${number} ${nameOf(scenario)}: ${told.join(' + ')}; ${more.join(', ')}`;
}
