/** The first step: which provider, and whether its CLI is on the control-plane host. */
import type { HandlerAnswer } from '../answers.js';
import { heading, make, mark } from './make.js';

export function providerStep(
  handlers: readonly HandlerAnswer[],
  picked: string | undefined,
  onPick: (handler: HandlerAnswer) => void,
): HTMLElement {
  const problem = make('p', { class: 'problem', id: 'provider-problem', role: 'alert' });
  const radios = handlers.map(({ provider }) =>
    make('input', {
      type: 'radio',
      name: 'provider',
      value: provider,
      id: `provider-${provider}`,
      checked: provider === picked,
      'aria-describedby': `binary-${provider}`,
      change: () => problem.replaceChildren(),
    }),
  );
  const cards = handlers.map(({ provider, title, binary, binary_present }, index) =>
    make(
      'label',
      { class: 'card', for: `provider-${provider}` },
      radios[index],
      make(
        'span',
        { class: 'card-text' },
        make('span', { class: 'card-title' }, title),
        make(
          'span',
          { id: `binary-${provider}`, class: 'small' },
          binary_present
            ? mark('good', `${binary}: found on the control-plane host`)
            : mark('warn', `${binary}: not on the control-plane host`),
        ),
      ),
    ),
  );
  return make(
    'form',
    {
      novalidate: true,
      submit: (event) => {
        event.preventDefault();
        const at = radios.findIndex(({ checked }) => checked);
        if (at !== -1) return onPick(handlers[at]!);
        problem.replaceChildren('Pick a provider.');
        radios[0]?.focus();
      },
    },
    heading('What do you want to mint?'),
    make(
      'fieldset',
      { 'aria-describedby': 'provider-problem' },
      make('legend', { class: 'visually-hidden' }, 'Provider'),
      ...cards,
      problem,
    ),
    make('div', { class: 'actions' }, make('button', { type: 'submit', class: 'primary' }, 'Continue')),
  );
}

/** What stands there while the providers are asked for. */
export function loadingStep(): HTMLElement {
  return make(
    'div',
    { class: 'waiting' },
    make('span', { class: 'spinner', 'aria-hidden': 'true' }),
    make('p', {}, 'Asking the control plane for its providers…'),
  );
}
