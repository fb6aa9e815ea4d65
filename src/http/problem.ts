/** A failure as HTTP tells it: RFC 9457 problem details with CONTRACT section 4's members. */
import { STATUS_CODES } from 'node:http';
import { CloudCliError, type Failure, httpStatuses, type Issue, isCloudCliError } from '../errors.js';
import type { Answer } from './answer.js';

/** What only HTTP can get wrong, besides the codes of a mint. */
const ownStatuses = {
  invalid_token: 401,
  insufficient_user_authentication: 401,
  insufficient_scope: 403,
  forbidden_origin: 403,
  misdirected_request: 421,
  method_not_allowed: 405,
  payload_too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  upstream_unavailable: 502,
} as const;

/** A response status for every code of a problem. */
export const problemStatuses = { ...httpStatuses, ...ownStatuses } as const;

export type ProblemCode = keyof typeof problemStatuses;

/** A problem's own members; what a mint's failure has besides, they have too. */
export interface ProblemMembers extends Omit<Failure, 'code'> {
  code: ProblemCode;
}

/** A call that is answered by a problem. `headers` may tell the client what to do, such as `WWW-Authenticate`. */
export class Problem extends Error {
  readonly members: ProblemMembers;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    members: ProblemMembers,
    {
      headers = {},
      status = problemStatuses[members.code],
    }: { headers?: Record<string, string>; status?: number } = {},
  ) {
    super(members.message);
    this.members = members;
    this.status = status;
    this.headers = headers;
  }

  /** `application/problem+json`. */
  toAnswer(): Answer & { status: number; body: string } {
    const { code, message, ...rest } = this.members;
    const title = STATUS_CODES[this.status] ?? 'Client Closed Request';
    const body = { type: 'about:blank', title, status: this.status, detail: message, code, message, ...rest };
    return {
      status: this.status,
      headers: { ...this.headers, 'Content-Type': 'application/problem+json' },
      body: JSON.stringify(body),
    };
  }
}

/** Any failure as a problem. What is not ours is `internal`; its message is dropped, since it may quote a secret. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const failure: CloudCliError = isCloudCliError(error)
    ? (error as CloudCliError)
    : new CloudCliError('internal', `an unexpected ${error instanceof Error ? error.name : typeof error}`, {
        hint: 'This is a defect: please report it with the request id.',
      });
  // `expired` belongs to whoever reads a store, and no route does.
  const code = failure.code === 'expired' ? 'internal' : failure.code;
  return new Problem({ ...failure.toJSON(), code });
}

/** An answer that any server can send. */
export interface ProblemAnswer {
  /** The HTTP status. */
  status: number;
  /** The content type, the step-up challenge of a 401, and that nothing caches it. */
  headers: Record<string, string>;
  /** Problem details, as JSON. */
  body: string;
}

/** Any failure as the mounted routes would answer it, for a route of your own that calls `mint`. */
export function problemAnswer(error: unknown): ProblemAnswer {
  const { status, headers, body } = problemOf(error).toAnswer();
  return { status, headers: { ...headers, 'Cache-Control': 'no-store' }, body };
}

/** The body is not what the route takes. */
export function badBody(issues: Issue[]): Problem {
  const message = issues.map((issue) => `${issue.field}: ${issue.message}`).join('; ');
  return new Problem({
    code: 'invalid_request',
    message,
    hint: 'Send one JSON object; GET handlers lists the fields.',
    issues,
  });
}
