/** The last step: what was minted, where it is kept and until when. The credential itself is not here. */
import type { EnvelopeAnswer } from '../answers.js';
import { button, facts, heading, make, mark } from './make.js';
import { moment, timeLeft } from './time-left.js';

export interface EnvelopeStep {
  element: HTMLElement;
  /** To be called each second. */
  tick(): void;
}

export function envelopeStep(
  { credential_key, expires_at, source_identity, audit_run_id }: EnvelopeAnswer,
  ledger: HTMLElement,
  onAnother: () => void,
): EnvelopeStep {
  const left = make('span', { role: 'timer' });
  const tick = () => {
    left.textContent = timeLeft(expires_at);
  };
  tick();
  return {
    tick,
    element: make(
      'div',
      {},
      heading('Minted'),
      make('p', {}, mark('good', 'The credential is kept in the control-plane store, and nowhere else.')),
      facts([
        ['credential_key', make('code', {}, credential_key)],
        ['expires_at', moment(expires_at)],
        ['time_left', left],
        ['source_identity', make('code', {}, source_identity)],
        ['audit_run_id', make('code', {}, audit_run_id)],
      ]),
      ledger,
      make('div', { class: 'actions' }, button('Mint another', onAnother, 'primary')),
    ),
  };
}
