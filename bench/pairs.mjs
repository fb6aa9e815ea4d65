/** Two things measured side by side: what a busy machine does to one, it does to the other. */

/**
 * Measures `ours` and `other` in turn, each going first every other time, after one round that does not count.
 * The ratio is the median of the pairs' ratios, the spread its quartiles.
 * @param {{ ours: () => Promise<number>, other: () => Promise<number>, pairs: number, unit?: string }} what
 */
export async function compare({ ours, other, pairs, unit = 'ms' }) {
  const measured = [];
  for (let pair = 0; pair <= pairs; pair += 1) {
    const first = pair % 2 === 0 ? ours : other;
    const one = await first();
    const two = await (first === ours ? other : ours)();
    if (pair > 0) measured.push(first === ours ? [one, two] : [two, one]);
  }
  const ratios = measured.map(([mine, theirs]) => mine / theirs);
  return {
    ratio: quantile(ratios, 0.5),
    spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    ours: quantile(
      measured.map(([mine]) => mine),
      0.5,
    ),
    other: quantile(
      measured.map(([, theirs]) => theirs),
      0.5,
    ),
    unit,
    pairs,
  };
}

/** Milliseconds that `work` takes. */
export async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function quantile(numbers, part) {
  const sorted = numbers.toSorted((left, right) => left - right);
  const at = (sorted.length - 1) * part;
  const low = sorted[Math.floor(at)];
  return low + (sorted[Math.ceil(at)] - low) * (at - Math.floor(at));
}
