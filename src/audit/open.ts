/** Opens a ledger by its URL. */
import { invalidRequest } from '../errors.js';
import type { AuditStore } from './ledger.js';

/**
 * Opens the ledger that `url` names: `sqlite:PATH` or `postgres://...`. Runs whose process is gone are closed as
 * `abandoned`.
 * @throws CloudCliError `invalid_request` for a URL of another kind, `audit_unavailable` when it cannot be opened
 */
export async function openAuditStore(url: string): Promise<AuditStore> {
  const [, path] = /^sqlite:(.+)$/s.exec(url) ?? [];
  if (path !== undefined) return (await import('./sqlite.js')).openSqliteAuditStore(path);
  if (/^postgres(?:ql)?:/.test(url)) return (await import('./postgres.js')).openPostgresAuditStore(url);
  throw invalidRequest(
    [{ field: 'audit_url', message: 'must be sqlite:PATH or postgres://...' }],
    'Name the ledger as sqlite:/path/to/audit.sqlite, or as postgres://USER:PASSWORD@HOST:PORT/DATABASE.',
  );
}
