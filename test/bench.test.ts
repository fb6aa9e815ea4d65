/** The README's table of figures is of the measurements as they are. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { goalOf, rows } from '../bench/rows.mjs';
import { root } from './support.js';

it('shows in the README every figure that is measured, with its goal', () => {
  const [, table = ''] = /<!-- bench -->\n(.*?)<!-- \/bench -->/s.exec(
    readFileSync(join(root, 'README.md'), 'utf8'),
  )!;
  const shown = table
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| figure'))
    .map((line) => line.split(' | ').slice(0, 2).join(' | '));
  expect(shown).toEqual(rows.map((row) => `| ${row.name} | ${goalOf(row)}`));
});
