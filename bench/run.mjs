/** `npm run bench`: every figure of the README, as one table and as JSON (--json FILE); --only NAME, --pairs N. */
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { commandRows } from './command.mjs';
import { flightRows } from './flight.mjs';
import { openLab } from './lab.mjs';
import { ledgerRows } from './ledger.mjs';
import { mintRows } from './mint.mjs';
import { storeRows } from './store.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    pairs: { type: 'string' },
    json: { type: 'string' },
    rows: { type: 'string', default: '1000000' },
  },
});
const lab = await openLab(Number(values.rows));
const rows = [...commandRows, ...mintRows, ...flightRows, ...ledgerRows, ...storeRows];
const asked = rows.filter(
  ({ name }) => values.only.length === 0 || values.only.some((part) => name.includes(part)),
);
const machine = `${cpus().length} x ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform}, Node ${process.version}`;
const results = [];
try {
  console.log(`${machine}\n`);
  print(['FIGURE', 'GOAL', 'RATIO', 'SPREAD', 'OURS', 'OTHER', 'PAIRS', '']);
  for (const { name, goal, atLeast = false, run } of asked) {
    const found = await run(lab, values.pairs === undefined ? undefined : Number(values.pairs)).catch(
      (error) => ({
        skipped: error.message,
      }),
    );
    results.push({ name, goal, at_least: atLeast, ...found });
    if (found.skipped) print([name, '', '', '', '', '', '', found.skipped]);
    else {
      const holds = atLeast ? found.ratio >= goal : found.ratio <= goal;
      const { ratio, spread, ours, other, unit, pairs } = found;
      print([
        name,
        `${atLeast ? '>=' : '<='} ${goal}`,
        ratio.toFixed(2),
        spread.map((part) => part.toFixed(2)).join('-'),
        `${ours.toPrecision(3)} ${unit}`,
        `${other.toPrecision(3)} ${unit}`,
        pairs,
        holds ? 'holds' : 'MISSES',
      ]);
    }
  }
} finally {
  await lab.close();
}
if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine, results }, null, 2)}\n`);

function print(cells) {
  const widths = [58, 8, 7, 12, 11, 11, 6, 0];
  console.log(
    cells
      .map((cell, index) => String(cell).padEnd(widths[index]))
      .join(' ')
      .trimEnd(),
  );
}
