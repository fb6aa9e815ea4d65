/** docs/postgresql.md as an operator would follow it, on a PostgreSQL of its own: set up, move from SQLite, switch. */
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { PostgresServer, whyNoPostgres } from '../audit/postgres-server.js';
import { flagsOf, requests } from '../support.js';
import { blocksOf } from './blocks.js';
import { newSession } from './session.js';

const blocks = blocksOf('docs/postgresql.md').filter(({ words }) => words.includes('postgres'));
/** Runs SQL as the document's owner, with the document's password. */
async function asOwner(port: number, sql: string): Promise<void> {
  const connectionString = `postgres://cloud_cli_owner:change-me@127.0.0.1:${port}/cloud_cli`;
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(sql);
  await client.end();
}

const flags = flagsOf(requests.aws()).join(' ');

describe.skipIf(whyNoPostgres !== undefined)('docs/postgresql.md', () => {
  it('leads from a ledger on SQLite to the same one on PostgreSQL', { timeout: 600_000 }, async () => {
    const server = await PostgresServer.start();
    try {
      const session = newSession();
      const run = async (script: string) => {
        const here = script
          .replaceAll('@db.example.com/', `@127.0.0.1:${server.port}/`)
          .replaceAll('?sslmode=verify-full', '');
        const { code, output } = await session.run(here);
        expect({ script, code, output: code === 0 ? '' : output }).toEqual({ script, code: 0, output: '' });
        return output;
      };
      await run(`cloud-cli mint ${flags} --reason before`);
      for (const { language, text, words } of blocks.filter(({ words }) => !words.includes('move'))) {
        if (language === 'sh') await run(text);
        else if (text.startsWith('GRANT')) await asOwner(server.port, text);
        else for (const statement of text.trim().split('\n')) await server.admin(statement);
        expect(words).toEqual(['postgres']);
      }
      for (const { text } of blocks.filter(({ words }) => words.includes('move'))) await run(text);
      // The hosts' role mints on, and the chain is that of before with the new run at its end.
      await run(`cloud-cli mint ${flags} --reason after`);
      expect(await run('cloud-cli audit verify --head head.json')).toMatch(/^verified 6 events/);
      const reasons = await run('cloud-cli audit list --json');
      expect(JSON.parse(reasons).map(({ reason }: { reason: string }) => reason)).toEqual([
        'after',
        'before',
      ]);
    } finally {
      await server.stop();
    }
  });
});
