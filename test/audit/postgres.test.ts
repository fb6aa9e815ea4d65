/** The ledger on a real PostgreSQL: what every ledger holds, and what many hosts need. */
import { afterAll, beforeAll, describe } from 'vitest';
import { openPostgresAuditStore } from '../../src/audit/postgres.js';
import { ledgerContract } from './contract.js';
import { PostgresServer, whyNoPostgres } from './postgres-server.js';

describe.skipIf(whyNoPostgres !== undefined)('PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server?.stop());

  ledgerContract('PostgreSQL', async () => openPostgresAuditStore(server.url(await server.newDatabase())));
});
