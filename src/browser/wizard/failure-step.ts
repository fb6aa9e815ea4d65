/** What went wrong, what the cloud may now hold, and what to do. */
import { isUnheard, type ShownFailure } from './calls.js';
import { codes, isCode } from './codes.js';
import { facts, heading, make, prose } from './make.js';
import { sayLeft } from './time-left.js';

/** `minted` tells whether the call could have issued a credential at all. */
export function failureStep(
  failure: ShownFailure,
  more: { minted: boolean; ledger?: HTMLElement | undefined; actions: HTMLElement[] },
): HTMLElement {
  const { code, message, hint, issues = [] } = failure;
  const known = isCode(code) ? codes[code] : undefined;
  const fix = hint || known?.fix || 'Try again; if it persists, report it.';
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
      [
        'What to do',
        prose(more.minted && isUnheard(failure) ? `Look the run up before you mint again. ${fix}` : fix),
      ],
      failure.audit_run_id === undefined ? undefined : ['Run', make('code', {}, failure.audit_run_id)],
    ]),
    more.ledger,
    make('div', { class: 'actions' }, ...more.actions),
  );
}

/** No answer says nothing about the cloud; an answer without an outcome says that nothing was asked of it. */
function inTheCloud(failure: ShownFailure): string {
  const { outcome, live_until } = failure;
  const until = live_until === undefined ? 'its expiry' : `${live_until} (${sayLeft(live_until)})`;
  if (outcome === 'issued') return `The cloud has issued a credential, live until ${until}.`;
  if (outcome === 'unknown') return `The cloud may hold a live credential until ${until}.`;
  if (outcome === undefined && isUnheard(failure))
    return 'Unknown: the mint may have run. The ledger row tells.';
  return 'Nothing: no credential was issued.';
}
