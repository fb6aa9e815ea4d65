/** Where one is in the wizard. */
import { make } from './make.js';

const names = ['Provider', 'Request', 'Preview', 'Credential'] as const;
export type Stage = (typeof names)[number];

export function progress(): { element: HTMLElement; at(stage: Stage): void } {
  const items = names.map((name, index) =>
    make(
      'li',
      {},
      make('span', { class: 'number', 'aria-hidden': 'true' }, `${index + 1}`),
      make('span', {}, name),
    ),
  );
  return {
    element: make('ol', { class: 'progress', 'aria-label': 'Steps' }, ...items),
    at: (stage) => {
      const now = names.indexOf(stage);
      for (const [index, item] of items.entries()) {
        item.className = index < now ? 'done' : '';
        if (index === now) item.setAttribute('aria-current', 'step');
        else item.removeAttribute('aria-current');
      }
    },
  };
}
