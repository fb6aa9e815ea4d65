/** While the vendor's CLI runs: how long it has, and the way out. */
import type { PreviewAnswer } from '../answers.js';
import { button, facts, heading, make } from './make.js';

export interface MintingStep {
  element: HTMLElement;
  /** To be called now and then. */
  tick(): void;
}

export function mintingStep(
  { binary, credential_key, run_id, timeout_seconds }: PreviewAnswer,
  on: { cancel: () => void; say: (words: string) => void },
): MintingStep {
  const began = Date.now();
  const elapsed = make('p', { class: 'elapsed', role: 'timer', 'aria-label': 'Time elapsed' });
  let told = 0;
  const tick = () => {
    const seconds = Math.floor((Date.now() - began) / 1000);
    // Beside the CLI's own clock there are the ledger, the store, and perhaps a sign-in.
    elapsed.textContent =
      seconds <= timeout_seconds ? `${seconds} s of at most ${timeout_seconds} s` : `${seconds} s`;
    // A screen reader that hears each second hears nothing else.
    if (seconds - told >= 15) {
      told = seconds;
      on.say(`Still minting, ${seconds} seconds.`);
    }
  };
  tick();
  return {
    tick,
    element: make(
      'div',
      {},
      heading('Minting…'),
      make(
        'div',
        { class: 'waiting' },
        make('span', { class: 'spinner', 'aria-hidden': 'true' }),
        make('div', {}, make('p', {}, `The control plane runs ${binary}.`), elapsed),
      ),
      facts([
        ['Credential key', credential_key],
        ['Run ID', make('code', {}, run_id)],
      ]),
      make('div', { class: 'actions' }, button('Cancel', on.cancel)),
    ),
  };
}
