/** What went wrong, what the cloud may now hold, and what to do. */
import type { ShownFailure } from './calls.js';
import { codes, isCode } from './codes.js';
import { facts, heading, make, prose } from './make.js';
import { timeLeft } from './time-left.js';

/** `minted` tells whether the call could have issued a credential at all. */
export function failureStep(
  failure: ShownFailure,
  more: { minted: boolean; ledger?: HTMLElement | undefined; actions: HTMLElement[] },
): HTMLElement {
  const { code, message, hint, issues = [] } = failure;
  const known = isCode(code) ? codes[code] : undefined;
  return make(
    'div',
    {},
    make(
      'div',
      { class: 'box bad' },
      heading(known?.title ?? failure.title ?? 'It failed'),
      make('p', {}, message),
      issues.length > 0 &&
        make('ul', {}, ...issues.map((issue) => make('li', {}, `${issue.field} ${issue.message}`))),
      make('p', { class: 'small' }, make('code', {}, code)),
    ),
    facts([
      more.minted ? ['In the cloud', inTheCloud(failure)] : undefined,
      ['What to do', prose(hint || known?.fix || 'Try again; if it persists, report it.')],
      failure.audit_run_id === undefined ? undefined : ['Run', make('code', {}, failure.audit_run_id)],
    ]),
    more.ledger,
    make('div', { class: 'actions' }, ...more.actions),
  );
}

/** No answer says nothing about the cloud; an answer without an outcome says that nothing was asked of it. */
function inTheCloud({ code, outcome, live_until }: ShownFailure): string {
  const until = live_until === undefined ? 'its expiry' : `${live_until} (${timeLeft(live_until)})`;
  const unheard = code === 'unreachable' || code === 'unexpected_answer' || code === 'cancelled';
  switch (outcome ?? (unheard ? 'unknown' : 'not_issued')) {
    case 'issued':
      return `The cloud has issued a credential, live until ${until}.`;
    case 'unknown':
      return live_until === undefined && unheard
        ? 'Unknown: the mint may have run. The ledger row tells.'
        : `The cloud may hold a live credential until ${until}.`;
    case 'not_issued':
      return 'Nothing: no credential was issued.';
  }
}
