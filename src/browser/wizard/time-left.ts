/** What is left until a point in time, and the point itself. */
import { duration } from '../../duration.js';
import { make } from './make.js';

export function timeLeft(until: string, now = Date.now()): string {
  const seconds = Math.floor((Date.parse(until) - now) / 1000);
  return seconds > 0 ? `${duration(seconds)} left` : 'expired';
}

export function moment(at: string): HTMLTimeElement {
  return make('time', { datetime: at }, at.replace(/\.000Z$/, 'Z'));
}
