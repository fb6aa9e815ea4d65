/** Elements made one by one: no text of a request or an answer ever passes through an HTML parser. */

type Attribute = string | number | boolean | undefined | ((event: Event) => void);
export type Child = Node | string | undefined | false;

/** A function is a listener for the event it is named after; `true` is an attribute without a value. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? '' : `${value}`);
  }
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

/** A sentence in which backticks set commands apart. */
export function prose(text: string): HTMLElement {
  const parts = text.split(/`([^`]+)`/);
  return make('span', {}, ...parts.map((part, index) => (index % 2 === 1 ? make('code', {}, part) : part)));
}

/** Names and values as a list that a screen reader knows as one. */
export function facts(entries: readonly (readonly [name: string, value: Child] | undefined)[]): HTMLElement {
  return make(
    'dl',
    { class: 'facts' },
    ...entries.flatMap((entry) =>
      entry ? [make('div', {}, make('dt', {}, entry[0]), make('dd', {}, entry[1]))] : [],
    ),
  );
}

/** A step's heading; focus goes there when the step comes, so that it is read out. */
export function heading(text: string): HTMLHeadingElement {
  return make('h2', { tabindex: '-1' }, text);
}

export function button(
  text: string,
  onClick: () => void,
  kind: 'primary' | 'plain' | 'danger' = 'plain',
): HTMLButtonElement {
  return make('button', { type: 'button', class: kind, click: onClick }, text);
}

/** A sign before a text, which says the same. */
export function mark(kind: 'good' | 'bad' | 'warn', text: string): HTMLElement {
  const sign = { good: '✓', bad: '✕', warn: '!' }[kind];
  return make(
    'span',
    { class: `mark ${kind}` },
    make('span', { class: 'sign', 'aria-hidden': 'true' }, sign),
    make('span', {}, text),
  );
}
