/** A PostgreSQL ledger's URL: whether it is one, and what of it may be shown, which is never the user or password. */
import { type CloudCliError, invalidRequest } from '../errors.js';

/**
 * The ledger's name for messages: scheme, host, port and database. Parameters are left out, since a password can be
 * among them.
 * @throws CloudCliError `invalid_request`
 */
export function postgresName(url: string): string {
  // An @ anywhere else could be the one behind a password with a / or ? in it, which would then be shown as a host.
  const [, place] = /^postgres(?:ql)?:\/\/(?:[^@/?#]*@)?([^@?#\s]*)(?:\?[^@#\s]*)?$/.exec(url) ?? [];
  if (place === undefined) throw malformed();
  return `postgres://${place}`;
}

/** Quotes nothing of the URL, of which any part may be the password. */
export function malformed(
  message = 'must be postgres://USER:PASSWORD@HOST:PORT/DATABASE',
): CloudCliError<'invalid_request'> {
  return invalidRequest(
    [{ field: 'audit_url', message }],
    'In the user and the password, write special characters percent-encoded, such as %40 for @ and %2F for /.',
  );
}
