/** What is left until a point in time, and the point itself. */
import { duration } from '../../duration.js';
import { make } from './make.js';

/** Such as 59m 12s or expired, beside a name that says it is what is left. */
export function timeLeft(until: string, now = Date.now()): string {
  const seconds = Math.floor((Date.parse(until) - now) / 1000);
  return seconds > 0 ? duration(seconds) : 'expired';
}

/** The same behind the moment itself. */
export function sayLeft(until: string): string {
  const left = timeLeft(until);
  return left === 'expired' ? left : `${left} left`;
}

export function moment(at: string): HTMLTimeElement {
  return make('time', { datetime: at }, at.replace(/\.000Z$/, 'Z'));
}
