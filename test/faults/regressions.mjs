/** Schedules that once broke something: they run first, whatever the seed is. */

const mark = (name) => ({ mark: name, call: 'mark', file: 'none', number: 1 });
const first = { provider: 'aws', word: 'deploy', old: false };
const again = { provider: 'aws', word: 'deploy', old: true };
const unreadable = { provider: 'aws', word: 'truncated', old: false };

/** What broke, what was minted, the faults, and the outcome where it must be this one. */
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
    [{ kind: 'clock', point: mark('vendor'), clock: 'uptime', ms: -3_600_000 }],
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
  [
    'a credential was minted that a damaged identity kept nobody from losing',
    again,
    [{ kind: 'corrupt', point: mark('recorded'), flip: 'identity.txt', place: 0.7 }],
    'not_issued',
  ],
  [
    'a store that hung while it was asked whether it is ready held the mint for ever',
    first,
    [
      {
        kind: 'hang',
        point: { mark: 'ready', call: 'fsync', file: 'temp', number: 1 },
        effect: 'stall',
        argument: 200,
      },
    ],
    'not_issued',
  ],
];

export const regressions = found.map(([broke, scenario, faults, outcome], index) => ({
  number: `regression-${index}`,
  broke,
  kinds: faults.map(({ kind }) => kind),
  scenario,
  faults,
  outcome,
  given: true,
  heeds: true,
  dies: false,
  cut: faults[0].kind === 'power cut' ? { seed: 'none', keeps: 0 } : undefined,
  again: false,
  another: false,
}));
