/** Schedules that once broke something: they run first, whatever the seed is. */

const mark = (name) => ({ mark: name, call: 'mark', file: 'none', number: 1 });
const first = { provider: 'aws', word: 'deploy', old: false };
const again = { provider: 'aws', word: 'deploy', old: true };
const unreadable = { provider: 'aws', word: 'truncated', old: false };

/** What broke, what was minted, and the faults. */
const found = [
  [
    'the new home, ledger and store and all, was gone after a power cut: no parent of a new directory was synced',
    first,
    [{ kind: 'power cut', point: mark('closed') }],
  ],
  [
    'live_until was two hours early after the clock had been set back amid a run',
    unreadable,
    [{ kind: 'clock', point: mark('vendor'), clock: 'Date', ms: -7_200_000 }],
  ],
  [
    'a run took less than no time',
    again,
    [{ kind: 'clock', point: mark('vendor'), clock: 'performance', ms: -3_600_000 }],
  ],
  [
    'a run whose last event the full disk refused stayed in flight after the process had opened the ledger again',
    again,
    [
      {
        kind: 'full',
        point: { mark: 'persist', call: 'create', file: 'temp', number: 1 },
        effect: 'full',
        left: -1,
      },
    ],
  ],
];

export const regressions = found.map(([broke, scenario, faults], index) => ({
  number: `regression-${index}`,
  broke,
  kinds: faults.map(({ kind }) => kind),
  scenario,
  faults,
  given: true,
  heeds: true,
  dies: false,
  cut: faults[0].kind === 'power cut' ? { seed: 'none', keeps: 0 } : undefined,
  again: false,
  another: false,
}));
