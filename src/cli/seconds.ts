/** Durations as flags take them. */
import { invalidRequest } from '../errors.js';

/** Seconds of a duration such as 90, 90s, 15m or 1h. @throws CloudCliError `invalid_request` that names `field` */
export function secondsOf(text: string, field: string): number {
  const [, number, unit = 's'] = /^([0-9]{1,6})([smh])?$/.exec(text) ?? [];
  if (number === undefined)
    throw invalidRequest([{ field, message: 'must be a duration' }], 'Write it as 90s, 15m or 1h.');
  return Number(number) * { s: 1, m: 60, h: 3600 }[unit as 's' | 'm' | 'h'];
}
