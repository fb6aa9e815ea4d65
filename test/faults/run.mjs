/** `npm run faults`: runs the suite and prints its seed, its table and what broke. See CONTRIBUTING.md. */
import { parseArgs } from 'node:util';
import { canBuildShim } from './shim.mjs';
import { runSuite } from './suite.mjs';
import { tableOf } from './table.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    schedules: { type: 'string', default: '2400' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    lanes: { type: 'string', default: '8' },
    variant: { type: 'string' },
  },
});

if (!canBuildShim()) {
  console.error('The fault suite needs Linux and gcc.');
  process.exit(2);
}
const { seed } = values;
const schedules = values.quick ? 250 : Number(values.schedules);
console.log(
  `seed ${seed}, ${values.only === undefined ? `${schedules} schedules` : `schedule ${values.only}`}`,
);
const started = performance.now();
const { outcomes, violations } = await runSuite({
  seed,
  schedules,
  lanes: Number(values.lanes),
  variant: values.variant,
  only: values.only === undefined ? undefined : Number(values.only),
  told: ({ schedule, ran, done }) => {
    if (values.only !== undefined) console.log(JSON.stringify(ran.results, null, 2));
    else if (done % 200 === 0)
      console.log(`${done} schedules, ${Math.round((performance.now() - started) / 1000)} s`);
    for (const violation of ran.violations) console.log(`${schedule.number}: ${violation}`);
  },
});
console.log(`\n${tableOf(outcomes)}\n`);
for (const { violation, schedule } of violations) console.log(`${violation}\n  ${schedule}`);
console.log(
  violations.length === 0
    ? `nothing broke in ${Math.round((performance.now() - started) / 1000)} s`
    : `${violations.length} violations; one schedule again: npm run faults -- --seed ${seed} --only NUMBER`,
);
process.exitCode = violations.length === 0 ? 0 : 1;
