/** What PostgreSQL, its driver, the network or TLS refuses, in our words: by its code alone, for its text may quote. */
import { CloudCliError } from '../errors.js';

/** A SQLSTATE, an errno or a code of Node.js; the driver's own errors have none, and get one by what they say. */
export function codeOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && /^[A-Z0-9_]{3,50}$/.test(code)) return code;
  const said = String(message);
  return drivers.find(([pattern]) => pattern.test(said))?.[1] ?? 'unknown';
}

const drivers: [RegExp, string][] = [
  [/calling end on the pool/, 'CLOSED'],
  [/timeout/i, 'TIMEOUT'],
  [/password must be a/i, 'NO_PASSWORD'],
  [/support SSL/, 'NO_TLS'],
  [/terminated|ended|not queryable/i, 'CONNECTION_LOST'],
];

/** Whether a connection was lost: what it was about may or may not have happened. */
export function isLost(error: unknown): boolean {
  return /^(?:ECONNRESET|EPIPE|CONNECTION_LOST|57P0[12]|08...)$/.test(codeOf(error));
}

/** Whether PostgreSQL is not there, as while it starts again. */
export function isAway(error: unknown): boolean {
  return /^(?:ECONNREFUSED|ENOENT|57P03)$/.test(codeOf(error));
}

/** Whether whoever asks may read, and not write. */
export function isReader(error: unknown): boolean {
  return /^(?:25006|42501)$/.test(codeOf(error));
}

/** The failure that a caller sees. An error of ours stays what it is. */
export function refusal(ledger: string, error: unknown): CloudCliError {
  if (error instanceof CloudCliError) return error;
  const code = codeOf(error);
  const [, what, hint] = refusals.find(([pattern]) => pattern.test(code)) ?? otherwise;
  return new CloudCliError('audit_unavailable', `the ledger ${ledger} ${what} (${code})`, { hint });
}

const otherwise = [
  /./,
  'failed',
  "Nothing is minted without a ledger. See PostgreSQL's own log for what went wrong.",
] as const;

const refusals: [pattern: RegExp, what: string, hint: string][] = [
  [/^ECONNREFUSED$/, 'cannot be reached', 'Start PostgreSQL, or correct host and port in the audit URL.'],
  [/^ENOENT$/, 'has no socket there', 'Start PostgreSQL, or correct the socket directory in the audit URL.'],
  [/^(?:ENOTFOUND|EAI_AGAIN)$/, 'has a host that no name server knows', 'Correct the host in the audit URL.'],
  [
    /^(?:TIMEOUT|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/,
    'did not answer in time',
    'Check the network and firewalls between here and PostgreSQL, and how busy it is.',
  ],
  [
    /^(?:ECONNRESET|EPIPE|CONNECTION_LOST|25P03|57P01|57P02|08...)$/,
    'lost the connection',
    "Run again; if it persists, see PostgreSQL's own log.",
  ],
  [/^57P03$/, 'is starting or stopping', 'Wait until PostgreSQL accepts connections, then run again.'],
  [/^CLOSED$/, 'is closed', 'Open it again: this process has closed it.'],
  [
    /^(?:28...|NO_PASSWORD)$/,
    'refused the login',
    'Correct user and password in the audit URL, and see that pg_hba.conf lets this host in.',
  ],
  [
    /^3D000$/,
    'has no such database',
    'Make it: see docs/postgresql.md, or correct its name in the audit URL.',
  ],
  [/^(?:42P01|3F000)$/, 'lacks its tables', 'Open it once by the role that owns it: see docs/postgresql.md.'],
  [
    /^42501$/,
    'is not open to this role',
    'Grant the role what docs/postgresql.md names; the first opening must be by the role that owns the ledger.',
  ],
  [
    /^53300$/,
    'has no connection free',
    'Raise max_connections, or end idle connections: each process of ours takes five at most.',
  ],
  [/^53100$/, 'cannot grow: the disk is full', 'Free space on the disk of PostgreSQL.'],
  [/^53...$/, 'is out of resources', "See PostgreSQL's own log for which."],
  [/^25006$/, 'is read-only', 'Name the primary in the audit URL: a standby takes no event.'],
  [
    /^55P03$/,
    'is locked by another session',
    'See by which in pg_stat_activity and pg_locks, and end it or wait for it.',
  ],
  [/^57014$/, 'took too long', 'See how busy PostgreSQL is, then run again.'],
  [/^(?:XX...|58...)$/, 'is damaged', "See PostgreSQL's own log, and restore the database from a backup."],
  [
    /^NO_TLS$/,
    'does not offer TLS',
    'Switch TLS on in PostgreSQL (ssl = on); sslmode=disable is for a loopback or socket connection alone.',
  ],
  [
    /CERT|TLS|SSL|SIGNATURE|^EPROTO$/,
    'is not trusted: TLS failed',
    "Name the authority of PostgreSQL's certificate with sslrootcert in the audit URL, and the host by the certificate's name.",
  ],
];
