/** What came of each kind of fault, as a table. */

/** @param outcomes `{kinds, outcome, hit}` of each schedule */
export function tableOf(outcomes) {
  const columns = [...new Set(outcomes.map(({ outcome }) => outcome))].sort();
  const names = [...new Set(outcomes.map(({ kinds }) => nameOf(kinds)))].sort();
  const rows = names.map((name) => {
    const own = outcomes.filter(({ kinds }) => nameOf(kinds) === name);
    const counts = columns.map((column) => own.filter(({ outcome }) => outcome === column).length);
    return [name, own.length, own.filter(({ hit }) => hit).length, ...counts];
  });
  const total = rows[0]?.slice(1).map((_, index) => rows.reduce((sum, row) => sum + row[index + 1], 0)) ?? [];
  const lines = [['fault', 'schedules', 'hit', ...columns], ...rows, ['all', ...total]];
  const widths = lines[0].map((_, index) => Math.max(...lines.map((line) => String(line[index]).length)));
  return lines.map((line) => line.map((cell, index) => pad(cell, widths[index])).join('  ')).join('\n');
}

function nameOf(kinds) {
  return kinds.length > 1 ? `${kinds[0]} + another` : (kinds[0] ?? 'none');
}

function pad(cell, width) {
  return typeof cell === 'number' ? String(cell).padStart(width) : String(cell).padEnd(width);
}
