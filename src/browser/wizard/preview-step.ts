/** The third step: the exact command, before anything has run, and what speaks against it. */
import type { PreviewAnswer } from '../answers.js';
import { button, facts, heading, make, mark, prose } from './make.js';

export function previewStep(
  shown: PreviewAnswer,
  on: { mint: () => void; back: () => void; say: (words: string) => void },
): HTMLElement {
  const { problem, policy } = shown;
  const hopeless = problem !== undefined || policy?.allowed === false;
  return make(
    'div',
    {},
    heading('Preview'),
    make('p', {}, 'This is exactly what a mint runs on the control-plane host. Nothing has run yet.'),
    commandBlock(shown.command, on.say),
    problem &&
      make(
        'div',
        { class: 'box warn' },
        make('p', {}, make('strong', {}, problem.message)),
        make('p', {}, prose(problem.hint)),
      ),
    policy?.allowed === false &&
      make(
        'div',
        { class: 'box warn' },
        make('p', {}, make('strong', {}, 'No allow rule covers this request.')),
        make('p', {}, 'Ask for less, or have an allow rule added: a mint of it will be denied.'),
      ),
    facts([
      ['Credential key', shown.credential_key],
      ['Identity', shown.source_identity ?? `left to ${shown.binary}: its own default`],
      [
        'Binary',
        shown.binary_present
          ? mark('good', `found: ${shown.binary_path ?? shown.binary}`)
          : mark('warn', `${shown.binary} is not there`),
      ],
      ['Policy', verdict(policy)],
      ['Timeout', `${shown.timeout_seconds} s`],
      ['Run ID', make('code', {}, shown.run_id)],
    ]),
    make(
      'div',
      { class: 'actions' },
      button(hopeless ? 'Mint it all the same' : 'Mint', on.mint, hopeless ? 'danger' : 'primary'),
      button('Back', on.back),
    ),
  );
}

function verdict(policy: PreviewAnswer['policy']): HTMLElement | string {
  if (!policy) return 'no allow rules';
  if (!policy.allowed) return mark('bad', 'denied: no allow rule covers it');
  return mark('good', policy.rule === undefined ? 'allowed' : `allowed by rule ${policy.rule}`);
}

function commandBlock(command: string, say: (words: string) => void): HTMLElement {
  const code = make('code', {}, command);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(command);
      copied.textContent = 'Copied';
      say('The command is copied.');
    } catch {
      // Without permission, or off a secure origin: the browser's own copy still works on what is selected.
      getSelection()?.selectAllChildren(code);
      copied.textContent = 'Press Ctrl+C';
      say('The command is selected: press Ctrl+C to copy it.');
    }
  };
  const copied = button('Copy', copy);
  copied.classList.add('small');
  return make(
    'figure',
    { class: 'command' },
    make('figcaption', {}, make('span', {}, 'Command, secrets masked'), copied),
    make('pre', { tabindex: '0', role: 'region', 'aria-label': 'Command' }, code),
  );
}
