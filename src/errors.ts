/** The closed list of failures: one class, and what each code means to a shell and to HTTP. */

/** A process exit status for every code. */
export const exitCodes = {
  invalid_request: 2,
  policy_denied: 3,
  binary_missing: 4,
  nonzero_exit: 5,
  parse_error: 6,
  timeout: 7,
  persist_failed: 8,
  audit_unavailable: 9,
  conflict: 10,
  not_found: 11,
  expired: 12,
  cancelled: 130,
  internal: 1,
} as const;

/** The codes of failures, in the words that every surface has. */
export type ErrorCode = keyof typeof exitCodes;

/** A response status for every code that HTTP can answer; `expired` belongs to whoever reads a store. */
export const httpStatuses: Readonly<Record<Exclude<ErrorCode, 'expired'>, number>> = {
  invalid_request: 400,
  policy_denied: 403,
  binary_missing: 503,
  nonzero_exit: 502,
  parse_error: 502,
  timeout: 504,
  persist_failed: 502,
  audit_unavailable: 503,
  conflict: 409,
  not_found: 404,
  cancelled: 499,
  internal: 500,
};

/** What the cloud may have live after a failure. */
export type Outcome = 'not_issued' | 'unknown' | 'issued';

/** One thing wrong with a request: the field, and what it must be. It never quotes the value. */
export interface Issue {
  /** The field's name; for configuration the path of the setting. */
  field: string;
  /** What it must be, in words that follow the name. */
  message: string;
}

/** What a code tells besides its message. */
export interface DetailsByCode {
  /** What is wrong, field by field. */
  invalid_request: { issues: Issue[] };
  /** How the vendor CLI ended: by a status, or by a signal. */
  nonzero_exit: { exit_code: number | null; signal: string | null };
  /** What was not as expected. */
  parse_error: { part: 'shape' | 'identity' | 'expiry' };
  /** Seconds that it had. */
  timeout: { timeout_seconds: number };
}

/** The `details` of a failure of code `C`; empty for most. */
export type Details<C extends ErrorCode> = C extends keyof DetailsByCode
  ? DetailsByCode[C]
  : Record<never, never>;

/** What every failure may carry. `live_until` is RFC 3339 UTC. */
export interface FailureFacts {
  /** What to do next. */
  hint: string;
  /** The run of the ledger, once there is one. */
  audit_run_id?: string;
  /** What the cloud may have live. */
  outcome?: Outcome;
  /** Until when. */
  live_until?: string;
}

/** A failure as every surface gives it: on the command line with `--json`, over HTTP, and by `toJSON`. */
export interface Failure extends FailureFacts {
  /** What happened, from a closed list. */
  code: ErrorCode;
  /** The same in words, on one line, without secrets. */
  message: string;
  /** What is wrong, field by field; for `invalid_request`. */
  issues?: Issue[];
}

/**
 * The one error this package throws on purpose. It has no `cause`: an error that has seen a secret is dropped
 * where it is caught, never chained.
 */
export class CloudCliError<C extends ErrorCode = ErrorCode> extends Error {
  /** Tells it from other errors where the class is of another copy. */
  override readonly name = 'CloudCliError';
  /** What happened; narrows `details`. */
  readonly code: C;
  /** What to do next. */
  readonly hint: string;
  /** What the code tells besides its message. */
  readonly details: Details<C>;
  /** The run of the ledger, once there is one. */
  readonly audit_run_id?: string;
  /** What the cloud may have live. */
  readonly outcome?: Outcome;
  /** Until when, RFC 3339 UTC. */
  readonly live_until?: string;

  /** `facts` are the hint, what is known of the run, and what the code's {@link Details} have. */
  constructor(code: C, message: string, facts: FailureFacts & Details<C>) {
    super(message);
    const { hint, audit_run_id, outcome, live_until, ...details } = facts;
    this.code = code;
    this.hint = hint;
    this.details = details as unknown as Details<C>;
    if (audit_run_id !== undefined) this.audit_run_id = audit_run_id;
    if (outcome !== undefined) this.outcome = outcome;
    if (live_until !== undefined) this.live_until = live_until;
  }

  /** The same failure with more known about it, such as the run it belongs to. */
  with(facts: Partial<FailureFacts>): CloudCliError<C> {
    const known = { hint: this.hint, ...this.details, ...optional(this) };
    const error = new CloudCliError(this.code, this.message, { ...known, ...facts } as FailureFacts &
      Details<C>);
    if (this.stack !== undefined) error.stack = this.stack;
    return error;
  }

  /** The failure as every surface gives it. */
  toJSON(): Failure {
    return {
      code: this.code,
      message: this.message,
      hint: this.hint,
      ...('issues' in this.details ? { issues: this.details.issues as Issue[] } : {}),
      ...optional(this),
    };
  }
}

function optional(error: CloudCliError): Partial<FailureFacts> {
  return {
    ...(error.audit_run_id === undefined ? {} : { audit_run_id: error.audit_run_id }),
    ...(error.outcome === undefined ? {} : { outcome: error.outcome }),
    ...(error.live_until === undefined ? {} : { live_until: error.live_until }),
  };
}

/** Every failure, discriminated by `code`. */
export type AnyCloudCliError = { [C in ErrorCode]: CloudCliError<C> }[ErrorCode];

/** Whether `error` is one of ours; after it, `error.code` narrows `error.details`. */
export function isCloudCliError(error: unknown): error is AnyCloudCliError {
  return error instanceof CloudCliError;
}

/** An `invalid_request` that names its fields. */
export function invalidRequest(issues: Issue[], hint: string): CloudCliError<'invalid_request'> {
  const what = issues.map((issue) => `${issue.field}: ${issue.message}`).join('; ');
  return new CloudCliError('invalid_request', what, { hint, issues });
}
