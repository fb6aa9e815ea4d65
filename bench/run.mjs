/**
 * `npm run bench`: every figure, as one table; --only NAME, --pairs N, --rows N for a smaller ledger, --json FILE, and
 * --readme to put the table into README.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { openLab } from './lab.mjs';
import { goalOf, rows } from './rows.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    pairs: { type: 'string' },
    json: { type: 'string' },
    readme: { type: 'boolean', default: false },
    rows: { type: 'string', default: '1000000' },
  },
});
const lab = await openLab(Number(values.rows));
const asked = rows.filter(
  ({ name }) => values.only.length === 0 || values.only.some((part) => name.includes(part)),
);
const machine = `${cpus().length} x ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform}, Node ${process.version}`;
const results = [];
try {
  console.log(`${machine}\n`);
  print(['FIGURE', 'GOAL', 'RATIO', 'SPREAD', 'OURS', 'OTHER', 'PAIRS', '']);
  for (const row of asked) {
    const { name, goal, atLeast = false } = row;
    const found = await row.run(lab, values.pairs === undefined ? undefined : Number(values.pairs));
    const holds = atLeast ? found.ratio >= goal : found.ratio <= goal;
    results.push({ name, goal, at_least: atLeast, holds, ...found });
    print(cellsOf(row, found, holds));
  }
} finally {
  await lab.close();
}
if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine, results }, null, 2)}\n`);
if (values.readme) writeReadme();

function cellsOf(row, { ratio, spread, ours, other, unit, pairs }, holds) {
  return [
    row.name,
    goalOf(row),
    ratio.toFixed(2),
    spread.map((part) => part.toFixed(2)).join('-'),
    `${ours.toPrecision(3)} ${unit}`,
    `${other.toPrecision(3)} ${unit}`,
    pairs,
    holds ? 'holds' : 'MISSES',
  ];
}

function print(cells) {
  const widths = [60, 8, 7, 12, 11, 11, 6, 0];
  console.log(
    cells
      .map((cell, index) => String(cell).padEnd(widths[index]))
      .join(' ')
      .trimEnd(),
  );
}

function writeReadme() {
  const lines = results.map(({ name, goal, at_least, ratio, spread, holds }) => {
    const cells = [
      name,
      goalOf({ goal, atLeast: at_least }),
      holds ? ratio.toFixed(2) : `**${ratio.toFixed(2)}**`,
      spread.map((part) => part.toFixed(2)).join('–'),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const date = new Date().toISOString().slice(0, 10);
  const table = [
    '| figure | goal | ratio | quartiles |',
    '|---|---|---|---|',
    ...lines,
    '',
    `Measured on ${date}: ${machine}. A figure in bold misses its goal.`,
  ].join('\n');
  const readme = readFileSync('README.md', 'utf8');
  const marks = /(<!-- bench -->\n).*?(<!-- \/bench -->)/s;
  writeFileSync(
    'README.md',
    readme.replace(marks, (_, from, to) => `${from}\n${table}\n\n${to}`),
  );
}
