/** Every code with its cause and its fix, for whoever looks one up. */
import { codes } from './codes.js';
import { make, prose } from './make.js';

export function troubleshooting(): HTMLElement {
  return make(
    'details',
    { class: 'troubleshooting' },
    make('summary', {}, 'Troubleshooting'),
    make(
      'dl',
      { class: 'codes' },
      ...Object.entries(codes).map(([code, { title, cause, fix }]) =>
        make(
          'div',
          {},
          make('dt', {}, make('code', {}, code), ` ${title}`),
          make('dd', {}, cause),
          make('dd', {}, make('strong', {}, 'Fix: '), prose(fix)),
        ),
      ),
    ),
  );
}
