/** The second step: the fields that a provider needs, and those that are wanted besides. */
import type { Issue } from '../../errors.js';
import type { FieldAnswer, HandlerAnswer } from '../answers.js';
import type { RequestBody } from './calls.js';
import { readValue } from './field-value.js';
import { button, heading, make } from './make.js';

type Control = HTMLInputElement | HTMLTextAreaElement;

interface Row {
  field: FieldAnswer;
  control: Control;
  problem: HTMLElement;
  element: HTMLElement;
}

export interface RequestForm {
  element: HTMLFormElement;
  /** Shows what is wrong beside each field, and moves the focus to the first. */
  mark(issues: readonly Issue[]): void;
  /** Empties the fields that are token-bearing. */
  forgetSecrets(): void;
  /** Whether its preview is under way: nothing is sent twice. */
  busy(is: boolean): void;
}

export function requestForm(
  handler: HandlerAnswer,
  on: { submit: (request: RequestBody, hasSecrets: boolean) => void; back: () => void },
): RequestForm {
  const rows = handler.fields.map(rowOf);
  const optional = rows.filter(({ field }) => !field.required);
  const more = make(
    'details',
    { class: 'more' },
    make('summary', {}, 'More options'),
    ...optional.map(({ element }) => element),
  );
  const summary = make('div', { class: 'box bad', role: 'alert', hidden: true });
  const named = (name: string) => rows.find(({ field }) => field.name === name);

  const show = (issues: readonly Issue[]) => {
    for (const row of rows) showProblem(row, issues.find(({ field }) => field === row.field.name)?.message);
    const wrong = rows.filter(({ control }) => control.getAttribute('aria-invalid') === 'true');
    const others = issues.filter(({ field }) => !named(field));
    const count = wrong.length + others.length;
    summary.hidden = count === 0;
    summary.replaceChildren(
      make('p', {}, make('strong', {}, count === 1 ? 'One thing is wrong' : `${count} things are wrong`)),
      make(
        'ul',
        {},
        ...wrong.map((row) =>
          make(
            'li',
            {},
            make(
              'button',
              { type: 'button', class: 'link', click: () => row.control.focus() },
              row.field.label,
            ),
            ` ${row.problem.textContent}`,
          ),
        ),
        ...others.map(({ field, message }) => make('li', {}, `${field} ${message}`)),
      ),
    );
    if (optional.some((row) => wrong.includes(row))) more.open = true;
    wrong[0]?.control.focus();
  };

  const send = make('button', { type: 'submit', class: 'primary' }, 'Preview');
  const busy = (is: boolean) => {
    send.textContent = is ? 'Previewing…' : 'Preview';
    // A button that is disabled would lose the focus.
    if (is) send.setAttribute('aria-disabled', 'true');
    else send.removeAttribute('aria-disabled');
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (send.hasAttribute('aria-disabled')) return;
    const read = rows.map((row) => ({ row, ...readValue(row.field, row.control.value) }));
    const issues = read.flatMap((one) =>
      'problem' in one ? [{ field: one.row.field.name, message: one.problem as string }] : [],
    );
    show(issues);
    if (issues.length > 0) return;
    const given = read.flatMap(({ row, ...one }) =>
      'value' in one ? [{ field: row.field, value: one.value }] : [],
    );
    on.submit(
      {
        provider: handler.provider,
        ...Object.fromEntries(given.map(({ field, value }) => [field.name, value])),
      },
      given.some(({ field }) => field.secret),
    );
  };

  return {
    element: make(
      'form',
      { novalidate: true, autocomplete: 'off', submit },
      heading(handler.title),
      summary,
      make(
        'fieldset',
        {},
        make('legend', { class: 'visually-hidden' }, `What ${handler.provider} needs`),
        ...rows.filter(({ field }) => field.required).map(({ element }) => element),
        optional.length > 0 && more,
      ),
      make('div', { class: 'actions' }, send, button('Back', on.back)),
    ),
    mark: show,
    busy,
    forgetSecrets: () => {
      for (const { field, control } of rows) if (field.secret) control.value = '';
    },
  };
}

function rowOf(field: FieldAnswer): Row {
  const id = `field-${field.name}`;
  const problem = make('p', { class: 'problem', id: `${id}-problem` });
  const several = field.type === 'list' || field.type === 'map';
  const common = {
    id,
    name: field.name,
    'aria-describedby': `${id}-help ${id}-problem`,
    'aria-required': field.required ? 'true' : undefined,
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    input: () => showProblem(row, undefined),
  };
  const control = several
    ? make('textarea', { ...common, rows: 3 })
    : make('input', {
        ...common,
        type: field.secret ? 'password' : 'text',
        inputmode: field.type === 'integer' ? 'numeric' : undefined,
        // Password managers heed these, and not `autocomplete`.
        ...(field.secret ? { 'data-1p-ignore': true, 'data-lpignore': 'true', 'data-bwignore': true } : {}),
      });
  const element = make(
    'div',
    { class: 'field' },
    make(
      'label',
      { for: id },
      field.label,
      field.required && make('span', { class: 'muted' }, ' (required)'),
    ),
    control,
    problem,
    make('p', { class: 'help', id: `${id}-help` }, helpOf(field)),
  );
  const row: Row = { field, control, problem, element };
  return row;
}

function helpOf({ help, type, secret, default: value }: FieldAnswer): string {
  return [
    help,
    type === 'list' && 'One per line.',
    type === 'map' && 'One key=value per line.',
    secret && 'It is not shown, and not kept.',
    value !== undefined && `Default: ${value}`,
  ]
    .filter(Boolean)
    .join(' ');
}

function showProblem({ control, problem }: Row, message: string | undefined): void {
  if (message === undefined) control.removeAttribute('aria-invalid');
  else control.setAttribute('aria-invalid', 'true');
  problem.replaceChildren(...(message === undefined ? [] : [message]));
}
