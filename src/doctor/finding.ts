/** One line of a diagnosis: what was looked at, whether it holds, and what to do where it does not. */
import { type ErrorCode, exitCodes } from '../errors.js';
import { oneLine } from '../redact/line.js';
import { strip } from '../redact/strip.js';

export interface Finding {
  /** A stable name, such as `ledger` or `aws.binary`. */
  check: string;
  status: 'ok' | 'warning' | 'problem';
  message: string;
  hint?: string;
}

/** The failure that a mint would meet, which chooses the exit status; kept out of the row. */
const codes = new WeakMap<Finding, ErrorCode>();

export function ok(check: string, message: string): Finding {
  return { check, status: 'ok', message: line(message) };
}

export function warning(check: string, message: string, hint: string): Finding {
  return { check, status: 'warning', message: line(message), hint: line(hint) };
}

export function problem(
  check: string,
  message: string,
  hint: string,
  code: ErrorCode = 'invalid_request',
): Finding {
  const finding: Finding = { check, status: 'problem', message: line(message), hint: line(hint) };
  codes.set(finding, code);
  return finding;
}

/** 0 when nothing is a problem; else the status of the first that is one, which a mint would fail with too. */
export function exitStatusOf(findings: readonly Finding[]): number {
  const first = findings.find(({ status }) => status === 'problem');
  return first ? exitCodes[codes.get(first) ?? 'invalid_request'] : 0;
}

/** Paths and the words of others may hold line breaks and what a terminal obeys. */
function line(text: string): string {
  return oneLine(strip(text), 2000);
}
