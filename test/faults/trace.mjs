/** Reads what the shim has logged: each call on a file of the home, in the order in which they took effect. */
import { existsSync, readFileSync } from 'node:fs';

/**
 * @typedef {object} Call
 * @property {string} mark what the process had said it was doing
 * @property {string} call
 * @property {string} file the class of the file
 * @property {number} number the how manieth such call since the mark
 * @property {number} result
 * @property {number} offset
 * @property {Buffer} data what was written
 * @property {string} path
 * @property {string} to
 */

/** @returns {Call[]} */
export function readTrace(file) {
  const log = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  const calls = [];
  for (let at = 0; at < log.length; ) {
    const end = log.indexOf(10, at);
    // A process that was killed may have been amid a line.
    if (end < 0) break;
    const [, mark, call, kind, number, result, offset, size, path, to] = log
      .toString('utf8', at, end)
      .split('\t');
    at = end + 1 + Number(size);
    const data = log.subarray(end + 1, at);
    calls.push({ mark, call, file: kind, number: +number, result: +result, offset: +offset, data, path, to });
  }
  return calls;
}

/** How often each armed fault was met. */
export function hits(calls) {
  return calls.filter(({ call }) => call === 'fired').map(({ result }) => result);
}
