/** A few hundred faults befall mints, and nothing breaks; what is broken on purpose is found. `npm run faults` has thousands. */
import { describe, expect, it } from 'vitest';
import { variants } from './broken.mjs';
import { canBuildShim } from './shim.mjs';
import { runSuite } from './suite.mjs';

const seed = process.env.FAULTS_SEED ?? '1';

describe.skipIf(!canBuildShim() && process.env.CI !== 'true')('the fault suite (needs Linux and gcc)', () => {
  it(`breaks nothing, with seed ${seed}`, { timeout: 300_000 }, async () => {
    const { outcomes, violations } = await runSuite({ seed, schedules: 220, lanes: 4 });
    expect(violations).toEqual([]);
    expect(outcomes.filter(({ hit }) => hit).length).toBeGreaterThan(180);
  });

  it.each(Object.entries(variants))('finds it where %s: %s', { timeout: 300_000 }, async (variant) => {
    const { violations } = await runSuite({ seed, schedules: 200, lanes: 3, variant });
    expect(violations).not.toEqual([]);
  });
});
