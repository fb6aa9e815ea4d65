/** A run's row of the ledger, fetched when it is asked for. */
import { shellLine } from '../../shell.js';
import type { RunAnswer } from '../answers.js';
import type { Answered } from './calls.js';
import { codes, isCode } from './codes.js';
import { button, type Child, make, mark, prose } from './make.js';
import { moment, sayLeft } from './time-left.js';

/** A button, and below it the row or why there is none. */
export function ledgerRow(
  run: () => Promise<Answered<RunAnswer>>,
  label = 'Show the ledger row',
): HTMLElement {
  const place = make('div', { class: 'ledger' });
  const show = async () => {
    ask.disabled = true;
    const answered = await run();
    ask.disabled = false;
    ask.textContent = 'Refresh the ledger row';
    const shown = 'answer' in answered ? rowTable(answered.answer) : noRow(answered.failure);
    place.replaceChildren(shown);
    shown.focus();
  };
  const ask = button(label, show);
  return make('div', { class: 'run' }, ask, place);
}

function noRow({ code, message, hint }: { code: string; message: string; hint: string }): HTMLElement {
  const missing = code === 'not_found';
  return make(
    'div',
    { class: 'box warn', tabindex: '-1' },
    make('p', {}, make('strong', {}, missing ? 'The ledger has no such run.' : message)),
    make(
      'p',
      {},
      missing
        ? 'Then the request did not arrive, and nothing was minted. If you sent it a moment ago, look again in a minute.'
        : prose(hint || (isCode(code) ? codes[code].fix : '')),
    ),
  );
}

const labels: Readonly<Record<string, string>> = {
  run_id: 'Run ID',
  status: 'Status',
  action: 'Action',
  provider: 'Provider',
  credential_key: 'Credential key',
  source_identity: 'Identity',
  actor: 'Actor',
  host: 'Host',
  reason: 'Reason',
  argv: 'Command',
  binary_path: 'Binary',
  binary_provenance: 'Binary file',
  timeout_seconds: 'Timeout',
  created_at: 'Created',
  finished_at: 'Finished',
  duration_ms: 'Duration',
  expires_at: 'Expires',
  outcome: 'In the cloud',
  live_until: 'Live until',
  error: 'Error',
  session_name: 'Session name',
  access_key_id: 'Access key ID',
  fingerprints: 'Fingerprints',
  request_digest: 'Request digest',
  traceparent: 'Trace',
  lease: 'Lease',
};

function rowTable(row: RunAnswer): HTMLElement {
  const members = [
    ...Object.keys(labels),
    ...Object.keys(row).filter((name) => !Object.hasOwn(labels, name)),
  ];
  const known = members.filter((name) => !isNothing(row[name]));
  return make(
    'div',
    { class: 'scroll', tabindex: '-1' },
    make(
      'table',
      {},
      make('caption', {}, 'Ledger row'),
      make(
        'tbody',
        {},
        ...known.map((name) =>
          make('tr', {}, make('th', { scope: 'row' }, labels[name] ?? name), make('td', {}, cell(name, row))),
        ),
      ),
    ),
  );
}

function isNothing(value: unknown): boolean {
  return value == null || (typeof value === 'object' && Object.keys(value).length === 0);
}

const marks = { SUCCEEDED: 'good', FAILED: 'bad', PENDING: 'warn' } as const;
const outcomes: Readonly<Record<string, string>> = {
  issued: 'a credential was issued',
  not_issued: 'nothing was issued',
  unknown: 'a credential may have been issued',
};

function cell(name: string, row: RunAnswer): Child {
  const value = row[name];
  switch (name) {
    case 'status':
      return Object.hasOwn(marks, row.status) ? mark(marks[row.status], row.status) : row.status;
    case 'argv':
      return make('code', {}, shellLine(row.argv));
    case 'timeout_seconds':
      return `${row.timeout_seconds} s`;
    case 'duration_ms':
      return `${(row.duration_ms! / 1000).toFixed(1)} s`;
    case 'outcome':
      return outcomes[row.outcome!] ?? String(value);
    case 'expires_at':
    case 'live_until':
      return make('span', {}, moment(String(value)), ` (${sayLeft(String(value))})`);
    case 'created_at':
    case 'finished_at':
      return moment(String(value));
    case 'error':
      return `${row.error!.code}: ${row.error!.message}`;
  }
  if (typeof value === 'object')
    return make(
      'ul',
      {},
      ...Object.entries(value as object).map(([key, member]) =>
        make(
          'li',
          {},
          `${key} `,
          make('code', {}, typeof member === 'object' ? JSON.stringify(member) : `${member}`),
        ),
      ),
    );
  return /^(?:.*_id|.*_digest|.*key|traceparent|source_identity|binary_path)$/.test(name)
    ? make('code', {}, String(value))
    : String(value);
}
